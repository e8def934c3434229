import { systemScope } from '@medley/kernel'
import type { ScopedDatabase } from '@medley/store'
import type { EnrolmentTables } from './adapters/tables.ts'

export interface Revocations {
  /** Tells the listeners of this process; what the store says of the same revocation later is then old news. */
  announce(nodeId: string, revocation: number): void
  listen(listener: (nodeId: string) => void): () => void
  close(): void
}

export interface RevocationOptions {
  readonly database: ScopedDatabase<EnrolmentTables>
  readonly pollMs: number
  readonly log: (message: string, error: unknown) => void
}

const SYSTEM = systemScope('enrolment')

/**
 * Revocations of all processes on the store, by asking it for higher numbers than the highest seen. The numbers come
 * from one row that each revocation locks until its commit, so that a later number is never visible before an
 * earlier one. A store that is away is asked again: what happened meanwhile has a higher number still.
 */
export function watchRevocations({ database, pollMs, log }: RevocationOptions): Revocations {
  const listeners = new Set<(nodeId: string) => void>()
  const announced = new Set<number>()
  let seen: number | null = null
  let started = false
  let timer: NodeJS.Timeout | null = null
  let closed = false
  let failing = false

  function tell(nodeId: string): void {
    for (const listener of listeners) {
      try {
        listener(nodeId)
      } catch (error) {
        // One listener's mistake must not keep a revoked node connected at the others.
        log('a listener to revocations failed', error)
      }
    }
  }

  async function poll(): Promise<void> {
    const { latest, rows } = await database.run(SYSTEM, async (tx) => {
      // The number first: a revocation that comes in between is then found twice instead of never.
      const { latest } = await tx.selectFrom('node_revocations').select('latest').executeTakeFirstOrThrow()
      if (seen === Number(latest)) return { latest: seen, rows: [] }
      const revoked = tx.selectFrom('node_keys').select(['node_id', 'revocation']).orderBy('revocation')
      // At first all of them: what a crash kept the listeners from is made up for at the next start.
      const rows = await revoked.where('revocation', '>', String(seen ?? 0)).execute()
      return { latest: Number(latest), rows }
    })
    for (const { node_id, revocation } of rows) {
      const number = Number(revocation)
      seen = Math.max(seen ?? 0, number)
      if (!announced.delete(number)) tell(node_id)
    }
    seen = Math.max(seen ?? 0, latest)
  }

  async function turn(): Promise<void> {
    try {
      await poll()
      failing = false
    } catch (error) {
      if (!failing && !closed) log('revocations cannot be read from the store', error)
      failing = true
    }
    if (!closed) timer = setTimeout(turn, pollMs).unref()
  }

  return {
    announce(nodeId, revocation) {
      // The poll may have been quicker between the commit and this call.
      if (seen !== null && revocation <= seen) return
      announced.add(revocation)
      tell(nodeId)
    },
    listen(listener) {
      listeners.add(listener)
      // Not before somebody listens, or what is told first would be lost.
      if (!started) void turn()
      started = true
      return () => listeners.delete(listener)
    },
    close() {
      closed = true
      listeners.clear()
      if (timer !== null) clearTimeout(timer)
    },
  }
}
