import { type QueryExecutorProvider, sql } from 'kysely'

export interface Horizon {
  /**
   * The highest number up to which no further event can appear. Call it before the transaction writes anything: a
   * number of its own would hide behind itself.
   */
  advance(tx: QueryExecutorProvider): Promise<bigint>
  /** Whether events are visible that still wait for an open transaction. */
  isPending(): boolean
}

/** Seen at one moment: every number up to `top` had been drawn by transactions below `before`. */
interface Checkpoint {
  readonly top: bigint
  readonly before: bigint
}

const MAX_CHECKPOINTS = 64

/**
 * Finds out which events are complete without a lock that writers would share. At some moment the highest visible
 * number is noted, and after it the next transaction number. Whoever drew a lower event number has a lower
 * transaction number (`appendEvent` takes that first), so once the oldest open transaction has passed the noted one,
 * everything up to the noted event is either visible or rolled back for good.
 */
export function createHorizon(): Horizon {
  let safe = 0n
  let checkpoints: Checkpoint[] = []
  return {
    async advance(tx) {
      const seen = await sql<{ top: string }>`
        select coalesce(max(sequence), 0)::text as top from outbox_events`.execute(tx)
      // A statement of its own: its snapshot must be younger than the number above.
      const now = await sql<{ oldest: string; next: string }>`
        select pg_snapshot_xmin(s)::text as oldest, pg_snapshot_xmax(s)::text as next
        from pg_current_snapshot() as s`.execute(tx)
      const top = BigInt(seen.rows[0]?.top ?? 0)
      const oldest = BigInt(now.rows[0]?.oldest ?? 0)
      if (top > (checkpoints.at(-1)?.top ?? safe)) {
        // With too many waiting the last one moves on; what it covers becomes known a little later.
        if (checkpoints.length >= MAX_CHECKPOINTS) checkpoints.pop()
        checkpoints.push({ top, before: BigInt(now.rows[0]?.next ?? 0) })
      }
      safe = checkpoints.findLast((checkpoint) => checkpoint.before <= oldest)?.top ?? safe
      checkpoints = checkpoints.filter((checkpoint) => checkpoint.top > safe)
      return safe
    },
    isPending: () => checkpoints.length > 0,
  }
}
