import {
  type AgentFrame,
  type AgentUpgrade,
  CHANNEL_PATH,
  CHANNEL_VERSION,
  challengeBytes,
  proofBytes,
  type ServerFrame,
  serverFrame,
} from '@medley/enrolment/protocol'
import type { AgentOrders, AgentReport } from '@medley/fleet/protocol'
import type { NodeSample, SampleGap, SampleLayout } from '@medley/monitoring/protocol'
import { WebSocket } from 'ws'
import { agentErrors } from '../errors.ts'
import {
  type Answer,
  asError,
  type ChannelIdentity,
  type Connection,
  callable,
  drop,
  leave,
  newConnection,
  send,
} from './connection.ts'
import { isSignedBy, signWith } from './keys.ts'

export type { ChannelIdentity } from './connection.ts'

const FIRST_BACKOFF_MS = 250
/** A connection that held this long has proven the way: the next trouble starts the back-off anew. */
const PROVEN_MS = 10_000
/** Ticks without a word from the server after which it counts as dead. */
const SILENT_TICKS = 3
/** Ticks the whole opening may take. */
const OPENING_TICKS = 5
/** How long an answer may take beyond what the server was allowed to hold it. */
const PATIENCE_MS = 15_000

export interface ChannelOptions {
  /** `http(s)://` or `ws(s)://`. */
  readonly serverUrl: string
  /** A function is asked before each dialling; where it rejects, that try has failed and is repeated. */
  readonly identity: ChannelIdentity | (() => Promise<ChannelIdentity>)
  readonly bootId: string
  readonly agentVersion: string
  readonly backoffMaxMs?: number
  /** A dead peer is noticed within three of these. */
  readonly tickMs?: number
  /** The node's own clock, milliseconds since the Unix epoch; this process's where left out. */
  readonly now?: () => number
  /** A connection stands. Layouts must be told again on each. */
  readonly onWelcome?: (welcome: { readonly nowMs: number; readonly sampleIntervalMs: number }) => void
  readonly onUpgrade?: (upgrade: AgentUpgrade) => void
  /** A try failed or a connection broke; the next try follows by itself. `failures`: in a row. */
  readonly onTrouble?: (error: Error, failures: number) => void
  /**
   * The server will never take this identity again (revoked, unknown, too old). Dialling ends, unless the answer is
   * `again`: then the identity has been given up and the next one is asked for.
   */
  readonly onRefused?: (code: string) => 'again' | undefined
}

export interface SampleBatch {
  readonly samples: readonly NodeSample[]
  readonly gaps: readonly SampleGap[]
}

/** The one connection of a node to its server. */
export interface Channel {
  /** Resolves at once while connected, else with the next connection. @throws `agent.channel.refused`, or the signal's */
  ready(signal: AbortSignal): Promise<void>
  /**
   * @throws `agent.channel.cut` when the connection breaks before the answer, `agent.channel.failed` when the server
   * could not take it now, `agent.channel.refused` when it never will, or the signal's reason.
   */
  report(report: AgentReport, signal: AbortSignal): Promise<AgentOrders>
  /** Names the rows and columns of what {@link Channel.store} sends next on this connection. */
  layout(layout: SampleLayout): void
  /** Resolves when the server has them for good. @throws like {@link Channel.report} */
  store(batch: SampleBatch): Promise<void>
  readonly connected: boolean
  /** Drops the connection and dials again, as a cut network would. */
  cut(): void
  close(): void
}

/**
 * Dials out and stays connected for ever, with one timer and one socket: a simulator runs over a thousand in one
 * process. What was not answered when a connection breaks is rejected; whoever asked asks again, all of it is
 * idempotent.
 */
export function openChannel(options: ChannelOptions): Channel {
  const url = new URL(CHANNEL_PATH, options.serverUrl.replace(/^http/, 'ws'))
  const tickMs = options.tickMs ?? 3_000
  const waiting = new Set<PromiseWithResolvers<void>>()
  let current: Connection | null = null
  let timer: NodeJS.Timeout | null = null
  let failures = 0
  let lastId = 0
  let ended: Error | null = null

  const end = (error: Error): void => {
    ended = error
    if (timer) clearTimeout(timer)
    timer = null
    const was = current
    current = null
    if (was) leave(was, error)
    for (const waiter of waiting) waiter.reject(error)
    waiting.clear()
  }

  const dial = async (): Promise<void> => {
    try {
      const identity = typeof options.identity === 'function' ? await options.identity() : options.identity
      if (!ended) connect(identity)
    } catch (error) {
      if (!ended) tryAgain(asError(error), 0)
    }
  }

  const connect = (identity: ChannelIdentity): void => {
    const connection = newConnection(url, identity)
    const { socket } = connection
    current = connection
    timer = setInterval(() => tick(connection), tickMs)
    const heard = (): void => {
      connection.silentTicks = 0
    }
    socket.on('ping', heard)
    socket.on('pong', heard)
    socket.on('open', () => {
      const { bootId, agentVersion } = options
      const { nonce } = connection
      send(socket, { type: 'hello', version: CHANNEL_VERSION, nodeId: identity.nodeId, bootId, nonce, agentVersion })
    })
    socket.on('message', (data) => {
      heard()
      try {
        take(connection, serverFrame.parse(JSON.parse(String(data))))
      } catch (error) {
        drop(connection, asError(error))
      }
    })
    socket.on('error', (error) => {
      connection.reason ??= error
    })
    socket.on('close', () => closed(connection))
  }

  const tick = (connection: Connection): void => {
    connection.ticks += 1
    connection.silentTicks += 1
    const late = connection.welcomedAtMs === null && connection.ticks >= OPENING_TICKS
    // Ticks, not times: a process that slept or stalled must not mistake its own silence for the server's.
    if (late || connection.silentTicks >= SILENT_TICKS) return void drop(connection, agentErrors['channel.silent']())
    if (connection.silentTicks > 1 && connection.socket.readyState === WebSocket.OPEN) connection.socket.ping()
    const nowMs = performance.now()
    for (const [id, request] of connection.pending) {
      if (nowMs < request.deadlineMs) continue
      connection.pending.delete(id)
      request.fail(agentErrors['channel.silent']())
    }
  }

  const closed = (connection: Connection): void => {
    if (current !== connection) return
    current = null
    if (timer) clearInterval(timer)
    const error = agentErrors['channel.cut']({ reason: connection.reason?.message ?? 'closed' })
    leave(connection, error)
    tryAgain(
      connection.reason ?? error,
      connection.welcomedAtMs === null ? 0 : performance.now() - connection.welcomedAtMs,
    )
  }

  const tryAgain = (error: Error, heldMs: number): void => {
    failures = heldMs > PROVEN_MS ? 1 : failures + 1
    const longest = Math.min(options.backoffMaxMs ?? 5_000, FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 20))
    // Not all nodes at once when a server comes back.
    timer = setTimeout(() => void dial(), longest * (0.5 + Math.random() / 2))
    options.onTrouble?.(error, failures)
  }

  const take = (connection: Connection, frame: ServerFrame): void => {
    const answers = frame.type === 'orders' || frame.type === 'stored' || frame.type === 'failed'
    if (answers) {
      const request = connection.pending.get(frame.id)
      connection.pending.delete(frame.id)
      if (frame.type === 'failed') request?.fail(agentErrors['channel.failed']({ code: frame.code }))
      else request?.answer(frame)
    } else if (frame.type === 'challenge') prove(connection, frame)
    else if (frame.type === 'welcome') {
      if (!connection.genuine || connection.welcomedAtMs !== null) return
      connection.welcomedAtMs = performance.now()
      options.onWelcome?.(frame)
      for (const waiter of waiting) waiter.resolve()
      waiting.clear()
    } else if (frame.type === 'refused') refused(connection, frame)
    else if (connection.welcomedAtMs !== null) options.onUpgrade?.(frame.upgrade)
  }

  const prove = (connection: Connection, challenge: Extract<ServerFrame, { type: 'challenge' }>): void => {
    const { nodeId, instanceId, instanceKey, keys } = connection.identity
    const said = { instanceId, agentNonce: connection.nonce, serverNonce: challenge.nonce }
    const genuine =
      challenge.instanceId === instanceId && isSignedBy(instanceKey, challengeBytes(said), challenge.signature)
    if (!genuine) return void drop(connection, agentErrors['channel.wrong-server']({ instance: challenge.instanceId }))
    connection.genuine = true
    send(connection.socket, { type: 'proof', signature: signWith(keys, proofBytes({ ...said, nodeId })) })
  }

  const refused = (connection: Connection, { code, final }: Extract<ServerFrame, { type: 'refused' }>): void => {
    const error = agentErrors['channel.refused']({ code })
    // Only the server itself may send a node away for ever: before its challenge anybody could say so.
    if (final && connection.genuine && options.onRefused?.(code) !== 'again') end(error)
    else drop(connection, error)
  }

  const ask = (
    request: (id: number) => AgentFrame,
    how: { readonly patienceMs: number; readonly signal?: AbortSignal },
  ): Promise<Answer> => {
    const connection = current
    if (ended) return Promise.reject(ended)
    if (connection === null || connection.welcomedAtMs === null)
      return Promise.reject(agentErrors['channel.cut']({ reason: 'not connected' }))
    lastId += 1
    const id = lastId
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    connection.pending.set(id, { deadlineMs: performance.now() + how.patienceMs, answer: resolve, fail: reject })
    send(connection.socket, request(id))
    return callable(promise, how.signal, (reason) => {
      connection.pending.delete(id)
      reject(reason)
    })
  }

  void dial()

  return {
    get connected() {
      return current !== null && current.welcomedAtMs !== null
    },
    ready: (signal) => {
      if (ended) return Promise.reject(ended)
      if (current !== null && current.welcomedAtMs !== null) return Promise.resolve()
      const waiter = Promise.withResolvers<void>()
      waiting.add(waiter)
      return callable(waiter.promise, signal, (reason) => {
        waiting.delete(waiter)
        waiter.reject(reason)
      })
    },
    report: async (report, signal) => {
      const frame = await ask((id) => ({ type: 'report', id, report }), {
        patienceMs: report.waitMs + PATIENCE_MS,
        signal,
      })
      if (frame.type !== 'orders') throw agentErrors['channel.failed']({ code: frame.type })
      return frame.orders
    },
    layout: (layout) => {
      if (current !== null && current.welcomedAtMs !== null) send(current.socket, { type: 'layout', layout })
    },
    store: async ({ samples, gaps }) => {
      await ask(
        (id) => ({ type: 'samples', id, nowMs: (options.now ?? Date.now)(), samples: [...samples], gaps: [...gaps] }),
        {
          patienceMs: PATIENCE_MS,
        },
      )
    },
    cut: () => {
      if (current) drop(current, agentErrors['channel.cut']({ reason: 'asked to' }))
    },
    close: () => end(agentErrors['channel.cut']({ reason: 'closed here' })),
  }
}
