import { type AgentFrame, agentFrame, type ServerFrame } from '@medley/enrolment/protocol'
import { WebSocket } from 'ws'

/** Before its key is proven nobody may make the server read more than this, bytes. */
export const LARGEST_OPENING_BYTES = 4 * 1024

/** @returns `null` for what is not a frame of the protocol */
export function parseFrame(data: Buffer): AgentFrame | null {
  try {
    const parsed = agentFrame.safeParse(JSON.parse(data.toString('utf8')))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}

export function send(socket: WebSocket, frame: ServerFrame): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame))
}

/** How long the far side may take to close properly before the connection is cut, ms. */
const FAREWELL_MS = 1_000

/** Says why and closes; cuts where the far side does not close in time, so that a revoked node is gone for certain. */
export function refuse(socket: WebSocket, code: string, final: boolean): void {
  send(socket, { type: 'refused', code, final })
  socket.close(1008, code.slice(0, 120))
  const cut = setTimeout(() => socket.terminate(), FAREWELL_MS)
  socket.once('close', () => clearTimeout(cut))
}
