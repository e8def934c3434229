import { systemScope } from '@medley/kernel'
import type { ScopedDatabase } from '@medley/store'
import type { EnrolmentTables } from './adapters/tables.ts'

/** What ends the worth of a key that a node may be connected with. */
export type KeyChange = 'revoked' | 'replaced'

export interface KeyChanges {
  /** Tells the listeners of this process; what the store says of the same change later is then old news. */
  announce(change: KeyChange, nodeId: string, number: number): void
  listen(change: KeyChange, listener: (nodeId: string) => void): () => void
  close(): void
}

export interface KeyChangesOptions {
  readonly database: ScopedDatabase<EnrolmentTables>
  readonly pollMs: number
  readonly log: (message: string, error: unknown) => void
}

interface NumberedChange {
  readonly change: KeyChange
  readonly nodeId: string
  readonly number: number
}

const SYSTEM = systemScope('enrolment')

/**
 * Revocations and replaced keys of all processes on the store, by asking it for higher numbers than the highest seen.
 * The numbers come from one row that each change locks until its commit, so that a later number is never visible
 * before an earlier one. A store that is away is asked again: what happened meanwhile has a higher number still.
 */
export function watchKeyChanges({ database, pollMs, log }: KeyChangesOptions): KeyChanges {
  const listeners = { revoked: new Set<(nodeId: string) => void>(), replaced: new Set<(nodeId: string) => void>() }
  const announced = new Set<number>()
  let seen: number | null = null
  let started = false
  let timer: NodeJS.Timeout | null = null
  let closed = false
  let failing = false

  function tell(change: KeyChange, nodeId: string): void {
    for (const listener of listeners[change]) {
      try {
        listener(nodeId)
      } catch (error) {
        // One listener's mistake must not keep a worthless key connected at the others.
        log(`a listener to ${change} keys failed`, error)
      }
    }
  }

  async function poll(): Promise<void> {
    const { latest, changes } = await database.run(SYSTEM, async (tx) => {
      // The number first: a change that comes in between is then found twice instead of never.
      const { latest } = await tx.selectFrom('node_revocations').select('latest').executeTakeFirstOrThrow()
      if (seen === Number(latest)) return { latest: seen, changes: [] }
      // At first all of them: what a crash kept the listeners from is made up for at the next start.
      const after = seen ?? 0
      const rows = await tx
        .selectFrom('node_keys')
        .select(['node_id', 'revocation', 'renewal'])
        .where((row) => row.or([row('revocation', '>', String(after)), row('renewal', '>', String(after))]))
        .execute()
      return { latest: Number(latest), changes: rows.flatMap((row) => changesOf(row, after)) }
    })
    for (const { change, nodeId, number } of changes.toSorted((one, other) => one.number - other.number)) {
      seen = Math.max(seen ?? 0, number)
      if (!announced.has(number)) tell(change, nodeId)
    }
    seen = Math.max(seen ?? 0, latest)
    // All up to here: of a key that was replaced twice between two looks only the second number is found.
    for (const number of announced) if (number <= seen) announced.delete(number)
  }

  async function turn(): Promise<void> {
    try {
      await poll()
      failing = false
    } catch (error) {
      if (!failing && !closed) log('revoked and replaced keys cannot be read from the store', error)
      failing = true
    }
    if (!closed) timer = setTimeout(turn, pollMs).unref()
  }

  return {
    announce(change, nodeId, number) {
      // The poll may have been quicker between the commit and this call.
      if (seen !== null && number <= seen) return
      announced.add(number)
      tell(change, nodeId)
    },
    listen(change, listener) {
      listeners[change].add(listener)
      // Not before somebody listens, or what is told first would be lost.
      if (!started) void turn()
      started = true
      return () => listeners[change].delete(listener)
    },
    close() {
      closed = true
      for (const each of Object.values(listeners)) each.clear()
      if (timer !== null) clearTimeout(timer)
    },
  }
}

/** A node may have both since the last look: its key replaced, then revoked. */
function changesOf(
  row: { readonly node_id: string; readonly revocation: string | null; readonly renewal: string | null },
  after: number,
): readonly NumberedChange[] {
  const numbers = { revoked: row.revocation, replaced: row.renewal }
  return (['revoked', 'replaced'] as const).flatMap((change) => {
    const number = Number(numbers[change] ?? 0)
    return number > after ? [{ change, nodeId: row.node_id, number }] : []
  })
}
