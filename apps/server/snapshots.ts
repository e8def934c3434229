import { digestOf, type Json } from '@medley/kernel'
import type { GatewaySnapshot } from '@medley/serving/protocol'
import type { Live } from './live.ts'

export interface Snapshots {
  /** The snapshot when it differs from `revision`; else waits up to `waitMs` for a change, then null. */
  after(revision: number, waitMs: number, signal: AbortSignal): Promise<GatewaySnapshot | null>
  /** When a gateway last asked; null before the first time. */
  lastAskedAt(): number | null
}

/**
 * The revision is taken from the content's digest, so that a restarted server names the same content by the same
 * number and a gateway need not fetch it again.
 */
export function createSnapshots(ports: {
  build: () => Promise<Omit<GatewaySnapshot, 'revision'>>
  live: Live
  now: () => number
}): Snapshots {
  let askedAt: number | null = null

  async function current(): Promise<GatewaySnapshot> {
    const content = await ports.build()
    return { revision: revisionOf(content as unknown as Json), ...content }
  }

  return {
    lastAskedAt: () => askedAt,
    async after(revision, waitMs, signal) {
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(Math.max(1, waitMs))])
      for (;;) {
        askedAt = ports.now()
        // Subscribed before reading: a change between the read and the wait would otherwise be slept over.
        const change = ports.live.next(['deployments', 'keys'], deadline)
        const snapshot = await current()
        if (snapshot.revision !== revision) return snapshot
        if (deadline.aborted) return null
        await change
      }
    },
  }
}

/** A 48-bit number naming a content: equal contents have equal numbers, over restarts too. */
export function revisionOf(content: Json): number {
  return Number.parseInt(digestOf(content).slice('sha256:'.length, 'sha256:'.length + 12), 16)
}
