import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Enrolment } from '@medley/enrolment'
import {
  type AgentFrame,
  type AgentUpgrade,
  CHANNEL_PATH,
  CHANNEL_VERSION,
  LARGEST_FRAME_BYTES,
} from '@medley/enrolment/protocol'
import type { Fleet } from '@medley/fleet'
import type { Logger } from '@medley/telemetry'
import { type WebSocket, WebSocketServer } from 'ws'
import { codedOf } from '../coded.ts'
import { LARGEST_OPENING_BYTES, parseFrame, refuse, send } from './frames.ts'
import { greet, type InstanceKey, type ProvenNode } from './handshake.ts'
import { createLiveness } from './liveness.ts'
import { createPresence } from './presence.ts'
import { isFinal, refusals } from './refusals.ts'
import { openSession, type Session, type SessionPorts } from './session.ts'

export interface ChannelPorts extends Omit<SessionPorts, 'onTrouble'> {
  readonly log: Logger
  readonly instance: InstanceKey
  readonly enrolment: Pick<Enrolment, 'keyOf' | 'onRevoked' | 'onReplaced'>
  readonly fleet: Pick<Fleet, 'heard' | 'presence'>
  /** Two agents claim to be one node. */
  readonly onClaimedTwice: (node: ProvenNode, from: string | null) => void
  readonly onChange: () => void
  /** What this node's agent should replace itself with; null: it is as it should be. */
  readonly upgradeFor: (node: ProvenNode) => AgentUpgrade | null
}

export interface AgentChannel {
  /** Takes the agents' connections of this HTTP server. */
  attach(server: Server): void
  connected(): number
  /** Tells connected agents of a version that is new since they connected. */
  offerUpgrades(): void
  /** Sends all agents away: they dial again elsewhere or later. */
  close(): void
}

interface Connection {
  readonly socket: WebSocket
  readonly node: ProvenNode
  readonly session: Session
  /** Told once per connection: an agent that could not take it knows better when to try again. */
  offered: string | null
}

/** From the first byte to a proven key, ms. */
const OPENING_MS = 10_000
/** How long an older connection of the same node has to show that it lives, ms. */
const PROOF_OF_LIFE_MS = 3_000
/** Connections that have not proven a key yet: more than a restarted fleet opens at once. */
const MOST_OPENING = 4_000
/** How soon a store that could not say which key is in force is asked again, ms. */
const ASK_AGAIN_MS = 1_000
/** Failures in between are counted. */
const TELL_EVERY_MS = 5_000

/** The agents' side of the server: one proven connection per node, on the port of the control API. */
export function createAgentChannel(ports: ChannelPorts): AgentChannel {
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: LARGEST_FRAME_BYTES })
  const liveness = createLiveness()
  const presence = createPresence(ports.fleet, {
    onChange: ports.onChange,
    onError: (nodeId, error) => ports.log.warn({ nodeId, err: error }, 'presence not noted'),
  })
  const connections = new Map<string, Connection>()
  /** Revocations since the start, so that an opening under way at that moment does not slip through. */
  const revoked = new Set<string>()
  /** Nodes whose key was replaced since the start, for the same reason. */
  const replaced = new Set<string>()
  let opening = 0
  let closing = false

  const listening = [
    ports.enrolment.onRevoked((nodeId) => {
      revoked.add(nodeId)
      const connection = connections.get(nodeId)
      if (connection) refuse(connection.socket, refusals.revoked, true)
    }),
    ports.enrolment.onReplaced((nodeId) => {
      replaced.add(nodeId)
      const connection = connections.get(nodeId)
      if (connection) void dropOutdated(connection)
    }),
  ]

  const inForce = async ({ nodeId, publicKey }: ProvenNode) =>
    (await ports.enrolment.keyOf(nodeId))?.publicKey === publicKey

  /** The word that a key was replaced may be older than the connection, so that it is the store which decides. */
  async function dropOutdated(connection: Connection): Promise<void> {
    const { socket, node } = connection
    try {
      if (!(await inForce(node))) turnAway(socket, refusals.replaced)
    } catch (error) {
      trouble(node.nodeId, error)
      const again = () => void (closing || socket.readyState !== socket.OPEN || dropOutdated(connection))
      setTimeout(again, ASK_AGAIN_MS).unref()
    }
  }

  let toldAt = Number.NEGATIVE_INFINITY
  let untold = 0
  /** What fails for one often fails for a thousand: one line tells of all. */
  function trouble(nodeId: string, error: unknown): void {
    if (closing) return
    untold += 1
    if (ports.now() - toldAt < TELL_EVERY_MS) return
    toldAt = ports.now()
    ports.log.error({ nodeId, failures: untold, err: error }, 'agents’ requests failed')
    untold = 0
  }

  const turnAway = (socket: WebSocket, code: string) => refuse(socket, code, isFinal(code))

  async function open(socket: WebSocket, from: string | null): Promise<void> {
    const node = await introduce(socket)
    if (node === null) return
    // Whoever holds the place by now: while one holder was asked, another may have come.
    let asked: Connection | undefined
    for (let holder = connections.get(node.nodeId); holder && holder !== asked; holder = connections.get(node.nodeId)) {
      const objection = await objectionOf(holder, node, from)
      if (objection !== null) return turnAway(socket, objection)
      asked = holder
    }
    if (revoked.has(node.nodeId)) return turnAway(socket, refusals.revoked)
    if (socket.readyState !== socket.OPEN) return
    if (asked) turnAway(asked.socket, refusals.replaced)
    welcome(socket, node)
  }

  /** Why the connection that holds the node's place keeps it; null: the new one may have it. */
  async function objectionOf({ socket, node: holder }: Connection, node: ProvenNode, from: string | null) {
    // A key that was replaced is worth nothing, however alive its holder: no proof of life is asked for.
    if (holder.publicKey !== node.publicKey) return (await inForce(node)) ? null : refusals.stranger
    if (holder.bootId === node.bootId || !(await liveness.answers(socket, PROOF_OF_LIFE_MS))) return null
    ports.onClaimedTwice(node, from)
    return refusals.inUse
  }

  function welcome(socket: WebSocket, node: ProvenNode): void {
    const session = openSession(socket, node, { ...ports, onTrouble: trouble })
    const connection: Connection = { socket, node, session, offered: null }
    connections.set(node.nodeId, connection)
    presence.set(node.nodeId, true)
    socket.on('message', (data: Buffer, isBinary) => {
      if (closing) return
      const frame = isBinary ? null : parseFrame(data)
      if (frame) session.take(frame)
      else turnAway(socket, refusals.broken)
    })
    socket.once('close', () => {
      session.close()
      if (connections.get(node.nodeId) !== connection) return
      connections.delete(node.nodeId)
      presence.set(node.nodeId, false)
    })
    const { sampleIntervalMs } = ports
    send(socket, { type: 'welcome', nodeId: node.nodeId, nowMs: ports.now(), sampleIntervalMs })
    offer(connection)
    if (replaced.has(node.nodeId)) void dropOutdated(connection)
  }

  function offer(connection: Connection): void {
    const upgrade = ports.upgradeFor(connection.node)
    if (upgrade === null || upgrade.version === connection.offered) return
    connection.offered = upgrade.version
    send(connection.socket, { type: 'upgrade', upgrade })
  }

  /** The opening: `hello`, `challenge`, `proof`. @returns null where the connection was refused or broke. */
  async function introduce(socket: WebSocket): Promise<ProvenNode | null> {
    const late = setTimeout(() => turnAway(socket, refusals.late), OPENING_MS)
    try {
      const hello = await nextFrame(socket)
      if (hello?.type !== 'hello') return deny(socket, refusals.broken)
      const greeting = greet(hello, ports.instance, ports.enrolment.keyOf)
      const answer = nextFrame(socket)
      send(socket, greeting.challenge)
      if (hello.version !== CHANNEL_VERSION) return deny(socket, refusals.version)
      const proof = await answer
      if (proof?.type !== 'proof') return deny(socket, refusals.broken)
      return (await greeting.prove(proof.signature)) ?? deny(socket, refusals.stranger)
    } finally {
      clearTimeout(late)
    }
  }

  function deny(socket: WebSocket, code: string): null {
    turnAway(socket, code)
    return null
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    if (request.url?.split('?')[0] !== CHANNEL_PATH) return void hangUp(socket, '404 Not Found')
    // Agents are no browsers: whatever page opens this means no good.
    if (request.headers.origin !== undefined) return void hangUp(socket, '403 Forbidden')
    if (opening >= MOST_OPENING) return void hangUp(socket, '503 Service Unavailable')
    sockets.handleUpgrade(request, socket, head, (peer) => {
      opening += 1
      peer.on('error', (error) => ports.log.debug({ err: error }, 'agent connection'))
      liveness.watch(peer)
      const from = request.socket.remoteAddress ?? null
      void open(peer, from)
        .catch((error: unknown) => {
          ports.log.warn({ err: error }, 'an agent could not be let in')
          refuse(peer, codedOf(error).code, false)
        })
        .finally(() => {
          opening -= 1
        })
    })
  }

  return {
    attach: (server) => void server.on('upgrade', upgrade),
    connected: () => connections.size,
    offerUpgrades() {
      for (const connection of connections.values()) offer(connection)
    },
    close() {
      closing = true
      for (const stop of listening) stop()
      liveness.close()
      // They are not away: the next server, or this one after its restart, has them back in seconds.
      presence.close()
      for (const socket of sockets.clients) refuse(socket, refusals.stopping, false)
      sockets.close()
    },
  }
}

/** The next frame of an opening; `null` where it is none, is too large, or the connection closes. */
function nextFrame(socket: WebSocket): Promise<AgentFrame | null> {
  return new Promise((resolve) => {
    const settle = (frame: AgentFrame | null) => {
      socket.off('message', onMessage)
      socket.off('close', onClose)
      resolve(frame)
    }
    const onMessage = (data: Buffer, isBinary: boolean) =>
      settle(isBinary || data.length > LARGEST_OPENING_BYTES ? null : parseFrame(data))
    const onClose = () => settle(null)
    socket.once('message', onMessage)
    socket.once('close', onClose)
  })
}

function hangUp(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
