import { randomUUID } from 'node:crypto'
import { type Id, type Scope, systemScope, type TenantScope } from '@medley/kernel'
import fc from 'fast-check'
import { type Generated, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  enableTenantIsolation,
  type Migrations,
  migrate,
  type OpenedStore,
  openStore,
  storeMigrations,
} from './index.ts'
import { portServers, type RunningServer } from './port-servers.ts'

interface Tables {
  notes: { id: Generated<string>; tenant_id: string; text: string }
  counters: { name: string; value: number }
}

const SYSTEM = systemScope('test')

const notes: Migrations = {
  '20260101-notes': {
    async up(db) {
      await sql`create table notes (id bigint generated always as identity, tenant_id text, text text)`.execute(db)
      await enableTenantIsolation(db, 'notes')
      await sql`create table counters (name text primary key, value int not null)`.execute(db)
      await sql`insert into notes (tenant_id, text) values ('tenant_seed', 'written by a migration')`.execute(db)
    },
  },
}

function tenant(name: string): TenantScope {
  return { kind: 'tenant', tenantId: `tenant_${name}` as Id<'tenant'>, projectId: null, actor: SYSTEM.actor }
}

describe.each(portServers)('store on $name', { timeout: 120_000 }, ({ name, start }) => {
  if (start === null) {
    it.skip(`NOT RUN: ${name} is not here`, () => expect.fail('not run'))
    return
  }
  let server: RunningServer
  const opened: OpenedStore[] = []

  beforeAll(async () => {
    server = await start()
  }, 120_000)

  afterAll(async () => {
    await Promise.all(opened.map((store) => store.close()))
    await server.stop()
  }, 60_000)

  async function fresh(...modules: readonly Migrations[]): Promise<OpenedStore> {
    const store = openStore({ connection: await server.database(), maxConnections: 6 })
    opened.push(store)
    await migrate(store, ...modules)
    return store
  }

  async function visible(store: OpenedStore, scope: Scope): Promise<string[]> {
    const rows = await store.tables<Tables>().run(scope, (tx) => tx.selectFrom('notes').select('text').execute())
    return rows.map((row) => row.text).sort()
  }

  function write(store: OpenedStore, scope: Scope, tenantId: string, text: string): Promise<unknown> {
    const values = { tenant_id: tenantId, text }
    return store.tables<Tables>().run(scope, (tx) => tx.insertInto('notes').values(values).execute())
  }

  describe('row-level security', () => {
    it('shows each tenant its own rows, whatever was written in which order', async () => {
      const store = await fresh(notes)
      const step = fc.record({ who: fc.constantFrom('a', 'b', 'c'), text: fc.stringMatching(/^[a-z]{1,8}$/) })
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          await store.tables<Tables>().run(SYSTEM, (tx) => tx.deleteFrom('notes').execute())
          await Promise.all(steps.map(({ who, text }) => write(store, tenant(who), `tenant_${who}`, text)))
          for (const name of ['a', 'b', 'c']) {
            const own = steps.filter(({ who }) => who === name).map(({ text }) => text)
            expect(await visible(store, tenant(name))).toEqual(own.sort())
          }
          expect(await visible(store, SYSTEM)).toHaveLength(steps.length)
        }),
        { numRuns: 15 },
      )
    })

    it('refuses to write, move or remove what is another tenant’s', async () => {
      const store = await fresh(notes)
      await write(store, tenant('a'), 'tenant_a', 'mine')
      await expect(write(store, tenant('b'), 'tenant_a', 'forged')).rejects.toThrow('row-level security')
      const db = store.tables<Tables>()
      const moved = db.run(tenant('a'), (tx) => tx.updateTable('notes').set({ tenant_id: 'tenant_b' }).execute())
      await expect(moved).rejects.toThrow('row-level security')
      await db.run(tenant('b'), (tx) => tx.deleteFrom('notes').execute())
      expect(await visible(store, tenant('a'))).toEqual(['mine'])
    })

    it('shows nothing without a scope, also on a connection that had one before', async () => {
      const connection = await server.database()
      const store = openStore({ connection, maxConnections: 1 })
      opened.push(store)
      await migrate(store, notes)
      expect(await visible(store, SYSTEM)).toEqual(['written by a migration'])
      expect((await store.pool.query('select * from notes')).rows).toEqual([])
      await expect(store.pool.query(`insert into notes (tenant_id, text) values ('x', 'y')`)).rejects.toThrow()
    })

    it('holds for a superuser too', async () => {
      const connection = await server.database()
      const store = openStore({ connection: server.asSuperuser(connection), maxConnections: 3 })
      opened.push(store)
      await migrate(store, storeMigrations, notes)
      await write(store, tenant('a'), 'tenant_a', 'mine')
      await expect(write(store, tenant('b'), 'tenant_a', 'forged')).rejects.toThrow('row-level security')
      expect(await visible(store, tenant('b'))).toEqual([])
      expect(await visible(store, tenant('a'))).toEqual(['mine'])
      const { rows } = await store.pool.query<{ who: string }>('select current_user as who')
      expect(rows[0]?.who).not.toBe('medley_rls')
    })
  })

  describe('transactions', () => {
    it('leave nothing when the work throws, and pass the error on', async () => {
      const store = await fresh(notes)
      const failure = new Error('on purpose')
      const work = store.tables<Tables>().run(tenant('a'), async (tx) => {
        await tx.insertInto('notes').values({ tenant_id: 'tenant_a', text: 'gone' }).execute()
        throw failure
      })
      await expect(work).rejects.toBe(failure)
      expect(await visible(store, tenant('a'))).toEqual([])
    })

    it('that block each other are tried again until all are done', async () => {
      const store = await fresh(notes)
      const db = store.tables<Tables>()
      const names = ['x', 'y', 'z']
      await db.run(SYSTEM, (tx) =>
        tx
          .insertInto('counters')
          .values(names.map((name) => ({ name, value: 0 })))
          .execute(),
      )
      const raise = (order: readonly string[]) =>
        db.run(SYSTEM, async (tx) => {
          for (const name of order) {
            await tx
              .updateTable('counters')
              .set((row) => ({ value: row('value', '+', 1) }))
              .where('name', '=', name)
              .execute()
          }
        })
      await Promise.all(Array.from({ length: 10 }, (_, index) => raise(index % 2 ? names : names.toReversed())))
      const { rows } = await store.pool.query<{ value: number }>('select value from counters')
      expect(rows.map((row) => row.value)).toEqual([10, 10, 10])
    })
  })

  describe('migrate', () => {
    it('applies each migration once, in order, however many start together', async () => {
      const connection = await server.database()
      const stores = Array.from({ length: 4 }, () => openStore({ connection, maxConnections: 2 }))
      opened.push(...stores)
      const reports = await Promise.all(stores.map((store) => migrate(store, storeMigrations, notes)))
      const applied = reports.flatMap((report) => report.applied)
      expect(applied).toEqual(['20260101-notes', ...Object.keys(storeMigrations)])
      const [first] = stores
      if (first === undefined) throw new TypeError('no store')
      expect((await migrate(first, notes, storeMigrations)).applied).toEqual([])
      expect(await visible(first, SYSTEM)).toEqual(['written by a migration'])
    })

    it('takes up a module that comes later with an older date', async () => {
      const store = await fresh(storeMigrations)
      expect((await migrate(store, storeMigrations, notes)).applied).toEqual(['20260101-notes'])
    })

    it('leaves nothing of a failed run and names the culprit', async () => {
      const store = await fresh()
      const broken: Migrations = { '20260102-broken': { up: (db) => sql`select nonsense`.execute(db).then(() => {}) } }
      await expect(migrate(store, notes, broken)).rejects.toMatchObject({
        code: 'store.migration_failed',
        params: { migration: '20260102-broken' },
      })
      const { rows } = await store.pool.query(`select to_regclass('notes') as notes`)
      expect(rows).toEqual([{ notes: null }])
      expect((await migrate(store, notes)).applied).toEqual(['20260101-notes'])
    })

    it('refuses a database that is newer than the program', async () => {
      const store = await fresh(storeMigrations, notes)
      await expect(migrate(store, storeMigrations)).rejects.toMatchObject({
        code: 'store.newer_than_program',
        params: { migrations: '20260101-notes' },
      })
    })

    it('refuses two modules with one name', async () => {
      const store = await fresh()
      await expect(migrate(store, notes, notes)).rejects.toThrow('two modules')
    })
  })

  it('is reached by a URL as well', async () => {
    const { host, port, user, password, database } = await server.database()
    const query = new URLSearchParams({ host, port: String(port) })
    const store = openStore({ databaseUrl: `postgresql://${user}:${password}@/${database}?${query}` })
    opened.push(store)
    const { rows } = await store.pool.query('select current_database() as database, current_user as user')
    expect(rows).toEqual([{ database, user }])
  })

  it('says that the server is away, after having waited for it', async () => {
    const nowhere = { host: `/nonexistent-${randomUUID()}`, port: 5432, user: 'x', password: 'y', database: 'z' }
    const store = openStore({ connection: nowhere, patienceMs: 200 })
    const work = store.tables<Tables>().run(SYSTEM, (tx) => tx.selectFrom('counters').selectAll().execute())
    await expect(work).rejects.toMatchObject({ code: 'store.unavailable' })
    await expect(store.ping()).rejects.toMatchObject({ code: 'store.unavailable' })
    await store.close()
  })
})
