import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createIdFactory, systemScope } from '@medley/kernel'
import { storeMigrations } from '@medley/store'
import { startTestStore, type TestStore } from '@medley/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createQuotas, type Quota, quotasMigrations, type ReserveRequest } from './index.ts'
import type { WorkerOrder, WorkerWord } from './worker.fixture.ts'
import { plannedRequest } from './worker-plan.fixture.ts'

const WORKERS = 4
const KILLS_EACH = 2
const REQUESTS = 900
const system = systemScope('test')
const clock = { now: () => Date.now() }
const ids = createIdFactory(clock, (size) => new Uint8Array(randomBytes(size)))
const children = new Set<ChildProcess>()
let test: TestStore

beforeAll(async () => {
  test = await startTestStore(storeMigrations, quotasMigrations)
  await watchLimits()
}, 120_000)
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await test?.close()
})

/** Not one write may pass a limit: the database itself refuses it, and the worker would tell. */
async function watchLimits(): Promise<void> {
  const db = test.store.unscoped()
  await sql`
    create function watch_limit() returns trigger language plpgsql as $$
    begin
      if exists (select from quotas where id = new.quota_id and mode = 'hard' and new.used + new.reserved > max_amount)
      then raise exception 'limit of % passed: % used, % reserved', new.quota_id, new.used, new.reserved; end if;
      return new;
    end $$`.execute(db)
  await sql`create trigger watch_limit before insert or update on quota_counters
    for each row execute function watch_limit()`.execute(db)
}

/** Two tenants with three projects of two keys each, all limited: most workers want the same counters. */
async function furnish(): Promise<WorkerOrder['chains']> {
  const quotas = createQuotas({ store: test.store, clock, ids })
  const set = (tenantId: string, level: Quota['level'], subjectId: string, fields: Partial<Quota>) =>
    quotas.set(system, {
      tenantId,
      level,
      subjectId,
      resource: 'tokens',
      kind: null,
      window: 'month',
      timeZone: 'Asia/Shanghai',
      limit: 0n,
      mode: 'hard',
      warnRatio: 0.8,
      ...fields,
    })
  const chains: Pick<ReserveRequest, 'tenantId' | 'chain'>[] = []
  for (const tenant of ['a', 'b']) {
    await set(tenant, 'tenant', tenant, { limit: 15_000n })
    await set(tenant, 'tenant', tenant, { resource: 'requests', limit: 1_000n, timeZone: 'America/New_York' })
    for (const project of ['p', 'q', 'r'].map((name) => `${tenant}-${name}`)) {
      await set(tenant, 'project', project, { limit: project.endsWith('p') ? 4_000n : 20_000n })
      for (const key of ['1', '2'].map((name) => `${project}-${name}`)) {
        await set(tenant, 'key', key, { limit: 5_000n, mode: key.endsWith('2') ? 'soft' : 'hard' })
        chains.push({ tenantId: tenant, chain: { project, key } })
      }
    }
  }
  return chains
}

interface Life {
  readonly ready: Promise<void>
  readonly over: Promise<unknown>
  readonly child: ChildProcess
}

function start(order: WorkerOrder, heard: (word: WorkerWord) => void): Life {
  const child = fork(fileURLToPath(new URL('./worker.fixture.ts', import.meta.url)))
  children.add(child)
  const over = once(child, 'exit').then(() => children.delete(child))
  const ready = new Promise<void>((resolve) => {
    child.on('message', (word: WorkerWord) => (word.kind === 'ready' ? resolve() : heard(word)))
  })
  child.send(order)
  return { ready, over, child }
}

/** Killed in the midst of its work, and started anew with the same plan, until it may end by itself. */
async function live(order: WorkerOrder, heard: (word: WorkerWord) => void): Promise<void> {
  for (let life = 0; life <= KILLS_EACH; life += 1) {
    // By what it has done, not by time: however fast the machine, it is killed while it works.
    let stepsLeft = life < KILLS_EACH ? randomInt(1, REQUESTS / 3) : Number.POSITIVE_INFINITY
    const { ready, over, child } = start(order, (word) => {
      heard(word)
      stepsLeft -= 1
      if (stepsLeft === 0) child.kill('SIGKILL')
    })
    await Promise.race([ready, over])
    child.send('go')
    await over
  }
}

interface Row {
  request_id: string
  id: string
  state: string
  used_amounts: string[] | null
}

describe('several processes, killed at random', () => {
  it('pass no limit at any time, count nothing twice and lose nothing', async () => {
    const chains = await furnish()
    const orders = Array.from({ length: WORKERS }, (_, seed): WorkerOrder => {
      return {
        connection: test.connection,
        seed,
        requests: REQUESTS,
        concurrency: 40,
        chains,
        mostAmount: 60,
        tell: true,
      }
    })
    const words: WorkerWord[] = []
    await Promise.all(orders.map((order) => live(order, (word) => words.push(word))))
    expect(words.filter((word) => word.kind === 'failed')).toEqual([])
    const done = words.flatMap((word) => (word.kind === 'done' ? [word] : []))
    expect(done).toHaveLength(WORKERS)
    // Only what is short can be passed: some were refused, and each got something.
    expect(done.every((word) => word.reserved > 0)).toBe(true)
    expect(done.reduce((sum, word) => sum + word.refused, 0)).toBeGreaterThan(0)

    // Everything that was abandoned has expired a day later.
    const later = createQuotas({ store: test.store, ids, clock: { now: () => Date.now() + 86_400_000 } })
    await later.sweep()

    const rows = new Map((await reservations()).map((row) => [row.request_id, row]))
    expect(lostOf(words, rows)).toEqual([])
    expect(orders.flatMap((order) => unplannedOf(order, rows))).toEqual([])
    expect(await differences()).toEqual([])
    expect(await overLimit()).toEqual([])
  }, 120_000)
})

/** Steps that were acknowledged and are not on record. */
function lostOf(words: readonly WorkerWord[], rows: ReadonlyMap<string, Row>): readonly WorkerWord[] {
  return words.filter((word) => {
    if (word.kind !== 'reserved' && word.kind !== 'settled') return false
    const row = rows.get(word.requestId)
    return row?.id !== word.id || (word.kind === 'settled' && row.state !== 'settled')
  })
}

/** Reservations that were settled with other amounts than planned, or ought not to be settled at all. */
function unplannedOf(order: WorkerOrder, rows: ReadonlyMap<string, Row>): readonly Row[] {
  return Array.from({ length: order.requests }, (_, n) => plannedRequest(order, n)).flatMap((plan) => {
    const row = rows.get(plan.requestId)
    if (row?.state !== 'settled') return []
    // Wants are kept in the order of their names: requests, then tokens.
    const asPlanned = row.used_amounts?.join() === `${plan.used > 0n ? 1 : 0},${plan.used}`
    return plan.end === 'settle' && asPlanned ? [] : [row]
  })
}

async function reservations(): Promise<readonly Row[]> {
  const query = sql<Row>`select request_id, id, state, used_amounts from quota_reservations`
  return (await test.store.tables().run(system, (tx) => query.execute(tx))).rows
}

/** Counters that are not the sum of their reservations, worked out by the database alone. */
async function differences(): Promise<readonly unknown[]> {
  const query = sql`
    with items as (
      select item.quota, item.starts,
        sum(item.reserved) filter (where r.state = 'reserved') as reserved,
        sum(item.used) filter (where r.state = 'settled') as used,
        sum(item.overrun) filter (where r.state = 'settled') as overrun,
        count(*) filter (where r.state = 'settled' and item.used + item.overrun > item.reserved) as beyond
      from quota_reservations r
      cross join lateral unnest(r.item_quotas, r.item_starts, r.item_reserved, r.item_used, r.item_overrun)
        as item(quota, starts, reserved, used, overrun)
      group by item.quota, item.starts)
    select * from quota_counters c full join items i on i.quota = c.quota_id and i.starts = c.window_start
    where (c.used, c.reserved, c.overrun, 0)
      is distinct from (coalesce(i.used, 0), coalesce(i.reserved, 0), coalesce(i.overrun, 0), coalesce(i.beyond, 0))`
  return (await test.store.tables().run(system, (tx) => query.execute(tx))).rows
}

async function overLimit(): Promise<readonly unknown[]> {
  const query = sql`
    select * from quota_counters c join quotas q on q.id = c.quota_id
    where (q.mode = 'hard' and c.used + c.reserved > q.max_amount) or c.reserved <> 0`
  return (await test.store.tables().run(system, (tx) => query.execute(tx))).rows
}
