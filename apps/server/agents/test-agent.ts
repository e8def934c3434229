import { type NodeKey, newNonce, signProof } from '@medley/enrolment'
import {
  type AgentFrame,
  CHANNEL_PATH,
  CHANNEL_VERSION,
  type ServerFrame,
  serverFrame,
} from '@medley/enrolment/protocol'
import { WebSocket } from 'ws'

/** The far end of one agent's connection, one frame at a time. */
export interface TestAgent {
  send(frame: AgentFrame | string | Buffer): void
  /** The next frame of that kind; others in between are dropped. Fails where the connection ends first. */
  next<Kind extends ServerFrame['type']>(kind: Kind): Promise<Extract<ServerFrame, { type: Kind }>>
  /** Stops reading and answering, as a host whose cable was pulled. */
  freeze(): void
  close(): void
  readonly closed: Promise<void>
}

/** Opens a connection and says nothing yet. */
export function dial(address: string, headers: Record<string, string> = {}): TestAgent {
  const socket = new WebSocket(`${address.replace('http', 'ws')}${CHANNEL_PATH}`, { headers })
  const frames: ServerFrame[] = []
  const waiting = new Set<() => void>()
  const wake = () => {
    for (const each of [...waiting]) each()
  }
  let ended: Error | null = null
  socket.on('message', (data) => {
    frames.push(serverFrame.parse(JSON.parse(String(data))))
    wake()
  })
  socket.on('error', (error) => {
    ended ??= error
  })
  const closed = new Promise<void>((resolve) => {
    socket.once('close', (code, reason) => {
      ended ??= new Error(`closed: ${code} ${reason}`)
      wake()
      resolve()
    })
  })
  const opened = new Promise<void>((resolve) => {
    socket.once('open', resolve)
  })
  return {
    send: (frame) => {
      const data = typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame)
      void opened.then(() => socket.send(data))
    },
    async next(kind) {
      for (;;) {
        for (let frame = frames.shift(); frame !== undefined; frame = frames.shift()) {
          if (frame.type === kind) return frame as Extract<ServerFrame, { type: typeof kind }>
        }
        if (ended) throw ended
        await new Promise<void>((resolve) => {
          const done = () => {
            waiting.delete(done)
            resolve()
          }
          waiting.add(done)
        })
      }
    },
    freeze: () => socket.pause(),
    close: () => socket.terminate(),
    closed,
  }
}

export interface Identity {
  readonly nodeId: string
  readonly key: NodeKey
  readonly bootId?: string
  readonly version?: number
}

/** Opens a connection and proves the key; what the server says to that comes by {@link TestAgent.next}. */
export async function introduce(address: string, identity: Identity): Promise<TestAgent> {
  const { nodeId, key, bootId = 'boot', version = CHANNEL_VERSION } = identity
  const agent = dial(address)
  const nonce = newNonce()
  agent.send({ type: 'hello', version, nodeId, bootId, nonce, agentVersion: '0' })
  const { instanceId, nonce: serverNonce } = await agent.next('challenge')
  const said = { nodeId, instanceId, agentNonce: nonce, serverNonce }
  agent.send({ type: 'proof', signature: signProof(key.privateKey, said) })
  return agent
}
