import { systemScope } from '@medley/kernel'
import { type Kysely, sql } from 'kysely'
import { type Migration, type MigrationResultSet, Migrator } from 'kysely/migration'
import { storeErrors } from './errors.ts'
import type { Migrations, OpenedStore } from './ports.ts'

export interface MigrationReport {
  /** Names of the migrations that this call applied, in order. */
  readonly applied: readonly string[]
}

/** Any fixed number does; it only has to differ from other users of advisory locks in the same database. */
const LOCK_KEY = 7_305_240_077

/**
 * Brings the database to what all modules expect. Several processes may call it at once: one does the work, the
 * others find it done. All pending migrations are one transaction, run under a system scope.
 *
 * @throws store.newer_than_program when the database has migrations this program does not know.
 * @throws store.migration_failed with the cause.
 */
export async function migrate(store: OpenedStore, ...modules: readonly Migrations[]): Promise<MigrationReport> {
  const known = merge(modules)
  // The first statement of a start: the server may still be on its way up, and only `run` waits for it.
  await store.tables().run(systemScope('migrate'), (tx) => sql`select 1`.execute(tx))
  return await withMigrationLock(store, async (db) => {
    await refuseNewer(db, known)
    const migrator = new Migrator({
      db,
      provider: { getMigrations: () => Promise.resolve(known) },
      // Modules number their migrations independently: a new module may come with an older date.
      allowUnorderedMigrations: true,
    })
    return report(await migrator.migrateToLatest())
  })
}

/** Runs `work` on one connection while holding the lock that all schema changes share. */
export async function withMigrationLock<Result>(
  store: OpenedStore,
  work: (db: Kysely<unknown>) => Promise<Result>,
): Promise<Result> {
  return await store
    .unscoped<unknown>()
    .connection()
    .execute(async (db) => {
      await sql`select pg_advisory_lock(${LOCK_KEY})`.execute(db)
      try {
        return await work(db)
      } finally {
        // A connection that died has given the lock back by itself.
        await sql`select pg_advisory_unlock(${LOCK_KEY})`.execute(db).catch(() => undefined)
      }
    })
}

function merge(modules: readonly Migrations[]): Record<string, Migration> {
  const merged: Record<string, Migration> = {}
  for (const [name, migration] of modules.flatMap((module) => Object.entries(module))) {
    if (name in merged) throw new TypeError(`two modules have a migration named ${name}`)
    merged[name] = underSystemScope(migration)
  }
  return merged
}

function underSystemScope(migration: Migration): Migration {
  return {
    async up(db) {
      await sql`select set_config('medley.scope', 'system', true)`.execute(db)
      await migration.up(db)
    },
  }
}

async function refuseNewer(db: Kysely<unknown>, known: Readonly<Record<string, Migration>>): Promise<void> {
  const table = await sql<{ present: boolean }>`
    select to_regclass('kysely_migration') is not null as present`.execute(db)
  if (table.rows[0]?.present !== true) return
  const done = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  const unknown = done.rows.map((row) => row.name).filter((name) => !(name in known))
  if (unknown.length > 0) throw storeErrors.newer_than_program({ migrations: unknown.join(', ') })
}

function report({ error, results = [] }: MigrationResultSet): MigrationReport {
  if (error !== undefined) {
    const failed = results.find((result) => result.status === 'Error')?.migrationName ?? '?'
    const detail = error instanceof Error ? error.message : String(error)
    throw storeErrors.migration_failed({ migration: failed }, { detail: `${failed}: ${detail}`, cause: error })
  }
  return { applied: results.filter((result) => result.status === 'Success').map((result) => result.migrationName) }
}
