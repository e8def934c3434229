import { randomBytes } from 'node:crypto'
import { type AgentFrame, LARGEST_FRAME_BYTES, type ServerFrame } from '@medley/enrolment/protocol'
import { WebSocket } from 'ws'
import type { NodeKeyPair } from './keys.ts'

/** Who the agent is and whom it trusts; what joining gave. */
export interface ChannelIdentity {
  readonly nodeId: string
  readonly keys: NodeKeyPair
  readonly instanceId: string
  /** Ed25519, raw, base64url. Pinned: another server, or one in between, cannot sign with it. */
  readonly instanceKey: string
}

export type Answer = Extract<ServerFrame, { type: 'orders' | 'stored' }>

interface Pending {
  /** Of `performance.now()`. */
  readonly deadlineMs: number
  answer(frame: Answer): void
  fail(error: Error): void
}

/** Everything that ends with one connection. */
export interface Connection {
  readonly identity: ChannelIdentity
  readonly socket: WebSocket
  readonly nonce: string
  readonly pending: Map<number, Pending>
  /** The server has answered to the pinned key. */
  genuine: boolean
  welcomedAtMs: number | null
  ticks: number
  silentTicks: number
  reason: Error | null
}

export function newConnection(url: URL, identity: ChannelIdentity): Connection {
  return {
    identity,
    socket: new WebSocket(url, { perMessageDeflate: false, maxPayload: LARGEST_FRAME_BYTES, followRedirects: false }),
    nonce: randomBytes(32).toString('base64url'),
    pending: new Map(),
    genuine: false,
    welcomedAtMs: null,
    ticks: 0,
    silentTicks: 0,
    reason: null,
  }
}

export function send(socket: WebSocket, frame: AgentFrame): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame))
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

export function drop(connection: Connection, reason: Error): void {
  connection.reason ??= reason
  connection.socket.terminate()
}

export function leave(connection: Connection, error: Error): void {
  connection.socket.terminate()
  for (const request of connection.pending.values()) request.fail(error)
  connection.pending.clear()
}

/** Lets a signal call off what is waited for; leaves no listener behind on it. */
export function callable<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
  callOff: (reason: unknown) => void,
): Promise<Value> {
  if (!signal) return promise
  const listener = (): void => callOff(signal.reason)
  if (signal.aborted) listener()
  else signal.addEventListener('abort', listener, { once: true })
  return promise.finally(() => signal.removeEventListener('abort', listener))
}
