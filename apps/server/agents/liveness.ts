import { WebSocket } from 'ws'

const TICK_MS = 1_000
/** Silent ticks after which the far side is asked, and after which it counts as dead. */
const ASK_AFTER = 4
const DEAD_AFTER = 9

export interface Liveness {
  watch(socket: WebSocket): void
  /** Whether the far side answers a ping within `withinMs`. */
  answers(socket: WebSocket, withinMs: number): Promise<boolean>
  close(): void
}

/**
 * One clock for all connections, asking only those that are silent. Counts ticks and not time: a server whose own
 * loop stood still must not take a thousand living agents for dead.
 */
export function createLiveness(): Liveness {
  const silentTicks = new Map<WebSocket, number>()
  const timer = setInterval(() => {
    for (const [socket, silent] of silentTicks) {
      // Who is not read from cannot be heard.
      if (socket.isPaused) continue
      silentTicks.set(socket, silent + 1)
      if (silent >= DEAD_AFTER) socket.terminate()
      else if (silent >= ASK_AFTER && socket.readyState === WebSocket.OPEN) socket.ping()
    }
  }, TICK_MS)
  timer.unref()

  return {
    watch(socket) {
      const heard = () => silentTicks.set(socket, 0)
      heard()
      socket.on('message', heard)
      socket.on('ping', heard)
      socket.on('pong', heard)
      socket.once('close', () => {
        for (const event of ['message', 'ping', 'pong']) socket.off(event, heard)
        silentTicks.delete(socket)
      })
    },
    answers: (socket, withinMs) =>
      new Promise((resolve) => {
        if (socket.readyState !== WebSocket.OPEN) return resolve(false)
        const settle = (alive: boolean) => {
          clearTimeout(timeout)
          socket.off('pong', onPong)
          socket.off('close', onClose)
          resolve(alive)
        }
        const onPong = () => settle(true)
        const onClose = () => settle(false)
        const timeout = setTimeout(() => settle(false), withinMs)
        socket.once('pong', onPong)
        socket.once('close', onClose)
        socket.ping()
      }),
    close: () => clearInterval(timer),
  }
}
