import { setTimeout as delay } from 'node:timers/promises'
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely'
import { Pool, type PoolConfig } from 'pg'
import { storeErrors } from './errors.ts'
import { isConflict, isConnectionLoss } from './failure.ts'
import type { OpenedStore, Scope, ScopedDatabase, StoreConnection } from './ports.ts'
import { prepareScopedRole } from './row-security.ts'

export interface StoreOptions {
  /** Exactly one of the two says where the server is. */
  readonly connection?: StoreConnection
  readonly databaseUrl?: string
  /** Most connections of this process; the embedded server takes 60 in all. */
  readonly maxConnections?: number
  /** How long a transaction may wait for a server that is away before it gives up. */
  readonly patienceMs?: number
  readonly log?: (message: string, error: unknown) => void
}

const CONFLICT_ATTEMPTS = 8

/**
 * Opens the store. Does not connect by itself: the first use does, and it waits up to `patienceMs` (15 s) for a
 * server that is just starting or restarting.
 */
export function openStore(options: StoreOptions): OpenedStore {
  const { log, patienceMs = 15_000 } = options
  const pool = new Pool(poolConfig(options))
  // A server that goes away ends idle clients; without a listener that would end this process too.
  let closed = false
  pool.on('error', (error) => {
    if (!closed) log?.('an idle database connection was lost', error)
  })
  // The pool listens to idle clients only; one between two statements of a transaction is nobody's else. Its next
  // statement fails and tells.
  pool.on('connect', (client) => client.on('error', () => undefined))
  const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  const scopedRole = once(() => prepareScopedRole(kysely))

  async function attempt<Tables, Result>(
    scope: Scope,
    work: Work<Tables, Result>,
    progress: Progress,
  ): Promise<Result> {
    const role = await scopedRole()
    const db = kysely as Kysely<unknown> as Kysely<Tables>
    try {
      return await db.transaction().execute(async (tx) => {
        try {
          await applyScope(tx, scope, role)
          progress.started = true
          return await work(tx)
        } catch (error) {
          // Rolling back a dead connection fails as well, and would hide why.
          progress.cause = error
          throw error
        }
      })
    } catch (error) {
      throw progress.cause ?? error
    }
  }

  async function run<Tables, Result>(scope: Scope, work: Work<Tables, Result>): Promise<Result> {
    const deadline = Date.now() + patienceMs
    for (let tries = 1; ; tries += 1) {
      const progress: Progress = { started: false, cause: null }
      try {
        return await attempt(scope, work, progress)
      } catch (error) {
        const lost = isConnectionLoss(error)
        // Once the work has begun its outcome is unknown: only the caller knows whether it may be repeated.
        const hopeless = lost ? progress.started || Date.now() >= deadline : tries >= CONFLICT_ATTEMPTS
        if (!lost && (hopeless || !isConflict(error))) throw error
        if (hopeless) throw storeErrors.unavailable({}, { cause: error })
      }
      await delay(backOff(tries))
    }
  }

  return {
    pool,
    unscoped: <Tables>() => kysely as Kysely<unknown> as Kysely<Tables>,
    tables: <Tables>(): ScopedDatabase<Tables> => ({ run: (scope, work) => run(scope, work) }),
    ping: async () => {
      await sql`select 1`.execute(kysely).catch((error: unknown) => {
        throw storeErrors.unavailable({}, { cause: error })
      })
    },
    close: async () => {
      closed = true
      await kysely.destroy()
      if (!pool.ended) await pool.end()
    },
  }
}

type Work<Tables, Result> = (tx: Transaction<Tables>) => Promise<Result>

/** Doubling from 20 ms to 1 s, spread so that rivals do not meet again. */
function backOff(tries: number): number {
  return Math.min(20 * 2 ** (tries - 1), 1_000) * (0.5 + Math.random() / 2)
}

interface Progress {
  started: boolean
  cause: unknown
}

/** Local to the transaction: a connection goes back to the pool without any scope. */
async function applyScope<Tables>(tx: Transaction<Tables>, scope: Scope, role: string | null): Promise<void> {
  const tenantId = scope.kind === 'tenant' ? scope.tenantId : ''
  const projectId = scope.kind === 'tenant' ? (scope.projectId ?? '') : ''
  const stepDown = role === null ? sql`` : sql`, set_config('role', ${role}, true)`
  await sql`
    select set_config('medley.scope', ${scope.kind}, true), set_config('medley.tenant_id', ${tenantId}, true),
      set_config('medley.project_id', ${projectId}, true)${stepDown}`.execute(tx)
}

function poolConfig({ connection, databaseUrl, maxConnections = 10 }: StoreOptions): PoolConfig {
  const where = connection ?? (databaseUrl === undefined ? null : { connectionString: databaseUrl })
  if (where === null) throw new TypeError('openStore needs a connection or a databaseUrl')
  return {
    ...where,
    max: maxConnections,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    // A forgotten open transaction would hold back the outbox and vacuum, also on a server that is not ours to set.
    idle_in_transaction_session_timeout: 300_000,
    application_name: 'medley',
  }
}

/** Shares one successful outcome; a failure is forgotten so that the next caller tries again. */
function once<Result>(make: () => Promise<Result>): () => Promise<Result> {
  let pending: Promise<Result> | null = null
  return () => {
    pending ??= make().catch((error: unknown) => {
      pending = null
      throw error
    })
    return pending
  }
}
