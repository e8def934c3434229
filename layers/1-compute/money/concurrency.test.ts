import { type ChildProcess, fork } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { systemScope } from '@medley/kernel'
import { storeMigrations } from '@medley/store'
import { startTestStore, type TestStore } from '@medley/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMoney, type Money, moneyMigrations } from './index.ts'
import { aBook, aRule, clock, ids } from './money.fixture.ts'
import type { WorkerOrder, WorkerWord } from './worker.fixture.ts'

const WORKERS = 4
const KILLS_EACH = 2
const STEPS = Number(process.env.MEDLEY_MONEY_STEPS ?? 250)
const system = systemScope('test')
const children = new Set<ChildProcess>()
let test: TestStore
let money: Money

beforeAll(async () => {
  test = await startTestStore(storeMigrations, moneyMigrations)
  money = createMoney({ store: test.store, clock, ids })
}, 120_000)
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await test?.close()
})

/** With little money and much: most workers want the same wallets, and some go without. */
async function furnish(): Promise<string[]> {
  const rules = [aRule({ kind: 'data-uses', price: '0.01', per: 1n })]
  const book = aBook({ discount: '0', rules })
  await money.publish(book)
  const terms = { currency: 'CNY', timeZone: 'Asia/Shanghai', bookName: book.name, lowAt: '5', atZero: 'stop' } as const
  const tenants = ['20', '150', '100000'].map((amount) => ({ amount, tenantId: ids.next('tenant') }))
  for (const { tenantId, amount } of tenants) {
    await money.openWallet({ ...terms, tenantId, creditLimit: '10' })
    await money.topUp({ tenantId, sourceKey: 'first', amount })
  }
  return tenants.map(({ tenantId }) => tenantId)
}

/** Killed in the midst of its work, and started anew with the same plan, until it may end by itself. */
async function live(order: WorkerOrder, heard: (word: WorkerWord) => void): Promise<void> {
  for (let life = 0; life <= KILLS_EACH; life += 1) {
    // By what it has done, not by time: however fast the machine, it is killed while it works.
    let stepsLeft = life < KILLS_EACH ? randomInt(1, Math.ceil(STEPS / 2)) : Number.POSITIVE_INFINITY
    const child = fork(fileURLToPath(new URL('./worker.fixture.ts', import.meta.url)))
    children.add(child)
    const over = once(child, 'exit').then(() => children.delete(child))
    child.on('message', (word: WorkerWord) => {
      if (word.kind === 'ready') {
        child.send('go')
        return
      }
      heard(word)
      stepsLeft -= 1
      if (stepsLeft === 0) child.kill('SIGKILL')
    })
    child.send(order)
    await over
  }
}

/** Nothing of this may be found. */
const FLAWS = {
  'a wallet that the ledger tells otherwise': sql`
    select w.tenant_id from wallets w join ledger_entries e on e.tenant_id = w.tenant_id
    group by w.tenant_id having w.balance <> sum(e.amount) filter (where account = 'wallet')
      or w.held <> coalesce(sum(e.amount) filter (where account = 'hold'), 0)
      or w.owed <> -coalesce(sum(e.amount) filter (where account = 'credit'), 0)`,
  'a wallet beyond its credit': sql`select tenant_id from wallets where balance + credit_limit < 0`,
  'held money that no hold stands for': sql`
    select w.tenant_id from wallets w
    where w.held <> coalesce((select sum(amount) from wallet_holds h
      where h.tenant_id = w.tenant_id and h.state = 'held'), 0)`,
  'an event that was charged twice or not at all': sql`
    select e.id from meter_events e left join charges c on c.event_id = e.id group by e.id having count(c.id) <> 1`,
  'a charge that is not the price of its event': sql`
    select c.id from charges c join meter_events e on e.id = c.event_id where c.amount <> e.quantity * 0.01`,
  'charges that are not earned': sql`
    select 1 where (select sum(amount) from charges) <>
      (select sum(amount) from ledger_entries where account = 'revenue')`,
  'a capture without its two events, or of another sum': sql`
    select h.id from wallet_holds h
    left join meter_events e on e.tenant_id = h.tenant_id and starts_with(e.source_key, h.request_id || ' ')
    where h.state = 'captured' group by h.id having count(e.id) <> 2 or h.charged <> sum(e.quantity) * 0.01`,
} as const

describe('several processes, killed at random', () => {
  it('spend not one cent beyond balance and credit, charge nothing twice and lose nothing', async () => {
    const tenants = await furnish()
    const words: WorkerWord[] = []
    const lives = Array.from({ length: WORKERS }, (_, seed) =>
      live({ connection: test.connection, seed, steps: STEPS, concurrency: 4, tenants }, (word) => words.push(word)),
    )
    await Promise.all(lives)
    while ((await money.rate()) > 0);
    await money.sweep()

    expect(words.filter(({ kind }) => kind === 'failed')).toEqual([])
    expect(words.filter(({ kind }) => kind === 'done').length).toBe(WORKERS)
    expect(words.some(({ kind }) => kind === 'refused')).toBe(true)
    const database = test.store.tables<object>()
    for (const [flaw, query] of Object.entries(FLAWS)) {
      const { rows } = await database.run(system, (tx) => query.execute(tx))
      expect(rows, flaw).toEqual([])
    }
    const acknowledged = words.flatMap((word) => (word.kind === 'captured' ? [word] : []))
    const { rows } = await database.run(system, (tx) =>
      sql<{ id: string; charged: string }>`
        select id, trim_scale(charged)::text as charged from wallet_holds where state = 'captured'`.execute(tx),
    )
    const kept = new Map(rows.map(({ id, charged }) => [id, charged]))
    expect(acknowledged.filter(({ id, charged }) => kept.get(id) !== charged)).toEqual([])
    expect(acknowledged.length).toBeGreaterThan(STEPS / 2)
  }, 300_000)
})
