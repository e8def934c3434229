import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createIdFactory, digestOf, type Id, systemScope, type TenantScope } from '@medley/kernel'
import { waitFor } from '@medley/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  appendEvent,
  type Consumer,
  createConsumer,
  type Migrations,
  migrate,
  type NewEvent,
  type OpenedStore,
  openStore,
  storeMigrations,
} from '../index.ts'
import { portServers, type RunningServer } from '../port-servers.ts'

interface Tables {
  seen: { event_id: string; sequence: string }
}

const SYSTEM = systemScope('test')
const clock = { now: Date.now }
const deps = { clock, ids: createIdFactory(clock, randomBytes) }

const seenTable: Migrations = {
  '20260101-seen': {
    async up(db) {
      await sql`create table seen (event_id text primary key, sequence bigint not null)`.execute(db)
    },
  },
}

function anEvent(subject: string, changes: Partial<NewEvent> = {}): NewEvent {
  return {
    type: 'test.thing.changed',
    version: 1,
    tenantId: null,
    actor: { kind: 'system', id: 'test' },
    subject,
    causationId: null,
    correlationId: null,
    occurredAt: new Date('2026-11-23T00:00:00Z'),
    payload: { subject },
    ...changes,
  }
}

describe.each(portServers)('outbox on $name', { timeout: 120_000 }, ({ name, start }) => {
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

  async function fresh(): Promise<OpenedStore> {
    const store = openStore({ connection: await server.database(), maxConnections: 12 })
    opened.push(store)
    await migrate(store, storeMigrations, seenTable)
    return store
  }

  const append = (store: OpenedStore, event: NewEvent): Promise<Id<'event'>> =>
    store.tables<Tables>().run(SYSTEM, (tx) => appendEvent(tx, deps, event))

  function collect(store: OpenedStore, consumerName = 'collector', types?: readonly string[]) {
    const subjects: string[] = []
    const consumer = createConsumer({
      store,
      name: consumerName,
      ...(types === undefined ? {} : { types }),
      handle: (event) => Promise.resolve(void subjects.push(event.subject)),
    })
    return { consumer, subjects }
  }

  /** Drains until so many were handled: another open transaction of the server, a vacuum's, may hold them back. */
  async function drained(consumer: Consumer, wanted: number): Promise<number> {
    let handled = 0
    await waitFor(`${wanted} events`, async () => {
      handled += await consumer.drain()
      return handled >= wanted
    })
    return handled
  }

  it('hands on what was written, with digest and both times, and then is at rest', async () => {
    const store = await fresh()
    const tenantId = deps.ids.next('tenant')
    const payload = { b: [1, 2.5, '文'], a: { z: null } }
    const id = await append(store, anEvent('s', { tenantId, payload, causationId: 'c', correlationId: 'd' }))
    const events: unknown[] = []
    const handle = (event: unknown) => Promise.resolve(void events.push(event))
    const consumer = createConsumer({ store, name: 'reader', handle })
    expect(await drained(consumer, 1)).toBe(1)
    expect(await consumer.drain()).toBe(0)
    expect(events).toEqual([
      {
        ...anEvent('s', { tenantId, payload, causationId: 'c', correlationId: 'd' }),
        id,
        sequence: 1n,
        recordedAt: expect.any(Date),
        payloadDigest: digestOf(payload),
      },
    ])
  })

  it('waits for an earlier number that is not committed yet, instead of skipping it', async () => {
    const store = await fresh()
    const { consumer, subjects } = collect(store)
    const [drawn, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const slow = store.tables<Tables>().run(SYSTEM, async (tx) => {
      await appendEvent(tx, deps, anEvent('slow'))
      drawn.resolve()
      await held.promise
    })
    try {
      await drawn.promise
      await append(store, anEvent('quick'))
      expect(await consumer.drain()).toBe(0)
    } finally {
      held.resolve()
      await slow
    }
    await drained(consumer, 2)
    expect(subjects).toEqual(['slow', 'quick'])
  })

  it('never tells of a transaction that was rolled back', async () => {
    const store = await fresh()
    const { consumer, subjects } = collect(store)
    const work = store.tables<Tables>().run(SYSTEM, async (tx) => {
      await appendEvent(tx, deps, anEvent('never'))
      throw new Error('rolled back')
    })
    await expect(work).rejects.toThrow('rolled back')
    await append(store, anEvent('after'))
    await drained(consumer, 1)
    expect(subjects).toEqual(['after'])
  })

  it('has one effect per event while many write and several consumers of one name compete', async () => {
    const store = await fresh()
    const failures = { left: 5 }
    const consumers = [1, 2, 3].map(() =>
      createConsumer<Tables>({
        store,
        name: 'shared',
        pollMs: 50,
        async handle(event, tx) {
          await tx
            .insertInto('seen')
            .values({ event_id: event.id, sequence: String(event.sequence) })
            .execute()
          // After its write: what it wrote must be undone with the offset.
          if (event.sequence % 17n === 0n && failures.left-- > 0) throw new Error('handler failed')
        },
      }),
    )
    for (const consumer of consumers) consumer.start()
    const written = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        store.tables<Tables>().run(SYSTEM, async (tx) => {
          const first = await appendEvent(tx, deps, anEvent(`w${index}`))
          await delay((index * 7) % 13)
          return [first, await appendEvent(tx, deps, anEvent(`w${index}`))]
        }),
      ),
    )
    const wanted = written.flat().sort()
    const seen = await waitFor('all events', async () => {
      const { rows } = await store.pool.query<{ event_id: string }>('select event_id from seen')
      return rows.length >= wanted.length && rows
    })
    await Promise.all(consumers.map((consumer) => consumer.stop()))
    expect(seen.map((row) => row.event_id).sort()).toEqual(wanted)
    expect(failures.left).toBeLessThan(5)
  })

  it('keeps cause before effect for one subject', async () => {
    const store = await fresh()
    const order: bigint[] = []
    const consumer = createConsumer({
      store,
      name: 'causal',
      pollMs: 20,
      handle: (event) => Promise.resolve(void order.push(event.sequence)),
    })
    consumer.start()
    await store.pool.query(`insert into seen values ('lock', 0)`)
    // Each takes its transaction number before it waits for the row: numbers and commits then disagree in order.
    await Promise.all(
      Array.from({ length: 30 }, () =>
        store.tables<Tables>().run(SYSTEM, async (tx) => {
          await sql`select pg_current_xact_id()`.execute(tx)
          await tx.selectFrom('seen').selectAll().where('event_id', '=', 'lock').forUpdate().execute()
          await appendEvent(tx, deps, anEvent('one subject'))
        }),
      ),
    )
    await waitFor('thirty events', () => order.length === 30)
    await consumer.stop()
    expect(order).toEqual(order.toSorted((left, right) => Number(left - right)))
  })

  it('lets a failing event hold back its successors but not undo its predecessors', async () => {
    const store = await fresh()
    const subjects: string[] = []
    let isBroken = true
    const consumer = createConsumer({
      store,
      name: 'stubborn',
      handle(event) {
        if (event.subject === 'bad' && isBroken) return Promise.reject(new Error('not yet'))
        subjects.push(event.subject)
        return Promise.resolve()
      },
    })
    for (const subject of ['good', 'bad', 'later']) await append(store, anEvent(subject))
    await waitFor('the refusal', () =>
      consumer.drain().then(
        () => false,
        () => subjects.includes('good'),
      ),
    )
    await expect(consumer.drain()).rejects.toThrow('not yet')
    subjects.length = 0
    isBroken = false
    await drained(consumer, 2)
    expect(subjects).toEqual(['bad', 'later'])
  })

  it('gives each name its own offset and each consumer its own types', async () => {
    const store = await fresh()
    for (let index = 0; index < 130; index += 1) {
      await append(
        store,
        anEvent(String(index), { type: index % 10 === 0 ? 'test.rare.happened' : 'test.thing.changed' }),
      )
    }
    const rare = collect(store, 'rare', ['test.rare.happened'])
    const all = collect(store, 'all')
    expect(await drained(rare.consumer, 13)).toBe(13)
    expect(await drained(all.consumer, 130)).toBe(130)
    expect(all.subjects).toEqual(Array.from({ length: 130 }, (_, index) => String(index)))
    const later = collect(store, 'all')
    await append(store, anEvent('130'))
    expect(await drained(later.consumer, 1)).toBe(1)
    expect(later.subjects).toEqual(['130'])
  })

  it('wakes by notice, long before its poll', async () => {
    const store = await fresh()
    const { consumer, subjects } = collect(store)
    const patient = createConsumer({
      store,
      name: 'patient',
      pollMs: 3_600_000,
      handle: (event) => Promise.resolve(void subjects.push(event.subject)),
    })
    patient.start()
    await delay(100)
    await append(store, anEvent('knock'))
    await waitFor('the knock', () => subjects.includes('knock'))
    await patient.stop()
    expect(await drained(consumer, 1)).toBe(1)
  })

  it('is closed to other tenants', async () => {
    const store = await fresh()
    const [mine, theirs] = [deps.ids.next('tenant'), deps.ids.next('tenant')]
    const scope: TenantScope = { kind: 'tenant', tenantId: mine, projectId: null, actor: SYSTEM.actor }
    const db = store.tables<Tables>()
    await db.run(scope, (tx) => appendEvent(tx, deps, anEvent('mine', { tenantId: mine })))
    await append(store, anEvent('theirs', { tenantId: theirs }))
    await append(store, anEvent('nobody’s'))
    const { rows } = await db.run(scope, (tx) => sql`select subject from outbox_events`.execute(tx))
    expect(rows).toEqual([{ subject: 'mine' }])
    const forged = db.run(scope, (tx) => appendEvent(tx, deps, anEvent('forged', { tenantId: theirs })))
    await expect(forged).rejects.toThrow('row-level security')
  })
})
