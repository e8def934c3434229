import type { Fleet } from '@medley/fleet'

export interface Presence {
  set(nodeId: string, connected: boolean): void
  /** What happens from now on is not noted: connections end because this server does. */
  close(): void
}

/**
 * Tells the fleet who is connected, one note at a time per node and only the newest: a connection that comes and goes
 * within one write must not leave the older of the two as the last word.
 */
export function createPresence(
  fleet: Pick<Fleet, 'presence'>,
  on: { onChange(): void; onError(nodeId: string, error: unknown): void },
): Presence {
  const wanted = new Map<string, boolean>()
  const writing = new Set<string>()
  let closed = false

  async function write(nodeId: string): Promise<void> {
    if (writing.has(nodeId)) return
    writing.add(nodeId)
    try {
      for (let connected = wanted.get(nodeId); connected !== undefined; connected = wanted.get(nodeId)) {
        wanted.delete(nodeId)
        await fleet.presence(nodeId, connected)
        on.onChange()
      }
    } catch (error) {
      on.onError(nodeId, error)
    } finally {
      writing.delete(nodeId)
    }
  }

  return {
    set(nodeId, connected) {
      if (closed) return
      wanted.set(nodeId, connected)
      void write(nodeId)
    },
    close() {
      closed = true
    },
  }
}
