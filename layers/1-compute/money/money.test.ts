import { AppError, type Id, systemScope, type TenantScope } from '@medley/kernel'
import { storeMigrations } from '@medley/store'
import { startTestStore, type TestStore } from '@medley/testkit'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { multiply, subtract, sum } from './domain/decimal.ts'
import { createMoney, type Money, moneyMigrations, type NewWallet, type PriceBook } from './index.ts'
import { aBook, anEvent, aRule, ids } from './money.fixture.ts'

const START = Date.UTC(2026, 10, 23, 4)
const system = systemScope('test')
let test: TestStore
let money: Money
let nowMs = START
let tenantId: Id<'tenant'>
let book: PriceBook

beforeAll(async () => {
  test = await startTestStore(storeMigrations, moneyMigrations)
  money = createMoney({ store: test.store, clock: { now: () => nowMs }, ids })
}, 120_000)
afterAll(() => test?.close())
beforeEach(async () => {
  nowMs = START
  tenantId = ids.next('tenant')
  const uses = [aRule({ kind: 'data-uses', price: '0.01', per: 1n })]
  book = aBook({ discount: '0', rules: uses })
  await money.publish(book)
})

const open = (fields: Partial<NewWallet> = {}) =>
  money.openWallet({
    tenantId,
    currency: 'CNY',
    timeZone: 'Asia/Shanghai',
    bookName: book.name,
    creditLimit: '0',
    lowAt: '1',
    atZero: 'stop',
    ...fields,
  })
const topUp = (amount: string, sourceKey = 'bank 1') => money.topUp({ tenantId, sourceKey, amount })
const uses = (sourceKey: string, quantity: bigint, fields: object = {}) =>
  anEvent(tenantId, { sourceKey, kind: 'data-uses', quantity, model: null, ...fields })
const hold = async (requestId: string, amount: string, ttlMs = 60_000) =>
  await money.hold({ tenantId, requestId, amount, ttlMs })

async function held(requestId: string, amount: string, ttlMs?: number): Promise<string> {
  const outcome = await hold(requestId, amount, ttlMs)
  if (outcome.kind !== 'held') throw new Error('refused')
  return outcome.id
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'nothing thrown',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  )
}

/** All accounts of the tenant's postings. */
async function accounts(): Promise<Record<string, string>> {
  const { rows } = await test.store.tables<object>().run(system, (tx) =>
    sql<{ name: string; total: string }>`
      select concat_ws(' ', account, case when account in ('partner', 'data-provider') then owner_id end) as name,
        trim_scale(sum(amount)) as total
      from ledger_entries join ledger_postings p on p.id = posting_id where p.tenant_id = ${tenantId}
      group by 1 order by 1`.execute(tx),
  )
  return Object.fromEntries(rows.map(({ name, total }) => [name, total]))
}

async function events(type: string): Promise<unknown[]> {
  const { rows } = await test.store.tables<object>().run(system, (tx) =>
    sql<{ payload: unknown }>`
      select payload from outbox_events where tenant_id = ${tenantId} and type = ${type} order by sequence`.execute(tx),
  )
  return rows.map(({ payload }) => payload)
}

async function rateAll(): Promise<void> {
  while ((await money.rate()) > 0);
}

describe('wallets', () => {
  it('pay by holds, never beyond balance and credit, and each thing once', async () => {
    await open({ creditLimit: '2' })
    await topUp('10')
    expect(await topUp('10.00')).toMatchObject({ balance: '10', state: 'open' })
    expect(await codeOf(topUp('11'))).toBe('money.repeat.differs')
    const id = await held('r1', '8.5')
    expect(await hold('r1', '8.50')).toMatchObject({ kind: 'held', id })
    expect(await hold('r2', '3.500001')).toEqual({ kind: 'refused', atZero: 'stop', available: '3.5' })
    const other = await held('r2', '3.5')
    expect(await money.wallet(system, tenantId)).toMatchObject({ balance: '-2', held: '12', state: 'empty' })
    expect(await money.capture(id, [uses('e1', 100n), uses('e2', 12n)])).toEqual({ charged: '1.12' })
    expect(await money.capture(id, [uses('e1', 100n), uses('e2', 12n)])).toEqual({ charged: '1.12' })
    expect(await codeOf(money.capture(id, [uses('e1', 101n)]))).toBe('money.repeat.differs')
    await money.release(other)
    await money.release(other)
    expect(await codeOf(money.release(id))).toBe('money.hold.captured')
    expect(await hold('r1', '8.5')).toEqual({ kind: 'over', id, state: 'captured' })
    expect(await hold('r2', '3.5')).toEqual({ kind: 'over', id: other, state: 'released' })
    expect(await money.wallet(system, tenantId)).toMatchObject({ balance: '8.88', held: '0', owed: '0' })
    expect(await accounts()).toEqual({ hold: '0', revenue: '1.12', 'top-up': '-10', wallet: '8.88' })
    expect([(await events('money.wallet.emptied')).length, (await events('money.wallet.refilled')).length]).toEqual([
      1, 1,
    ])
  })

  it('owe what was used without money, and pay it first', async () => {
    await open({ creditLimit: '1' })
    await money.record([uses('e1', 250n)])
    await rateAll()
    expect(await money.wallet(system, tenantId)).toMatchObject({ balance: '-1', owed: '1.5', available: '-1.5' })
    expect(await topUp('2')).toMatchObject({ balance: '-0.5', owed: '0', available: '0.5', state: 'low' })
    expect(await codeOf(money.setTerms(tenantId, { creditLimit: '0.4', lowAt: '0', atZero: 'stop' }))).toBe(
      'money.credit.used',
    )
    expect(await accounts()).toEqual({ credit: '0', revenue: '2.5', 'top-up': '-2', wallet: '-0.5' })
  })

  it('free what nobody came back for, and still take what comes late', async () => {
    await open()
    await topUp('5')
    const id = await held('r1', '5', 1_000)
    nowMs += 1_001
    expect((await hold('r2', '4')).kind).toBe('held')
    expect(await money.capture(id, [uses('late', 300n)])).toEqual({ charged: '3' })
    expect(await money.wallet(system, tenantId)).toMatchObject({ balance: '0', held: '4', owed: '2' })
    nowMs += 60_000
    expect(await money.sweep()).toBe(1)
    expect(await money.wallet(system, tenantId)).toMatchObject({ balance: '2', held: '0', owed: '0' })
  })

  it('ask, or slow down', async () => {
    await open({ atZero: 'ask' })
    expect([await hold('r', '1'), await hold('r', '1')].map(({ kind }) => kind)).toEqual(['refused', 'refused'])
    expect(await events('money.approval.requested')).toEqual([{ amount: '1', available: '0' }])
    await money.setTerms(tenantId, { creditLimit: '3', lowAt: '1', atZero: 'slow-down' })
    expect([await hold('a', '1'), await hold('b', '1')]).toMatchObject([{ pace: 'full' }, { pace: 'slow' }])
  })

  it('are nobody else’s', async () => {
    await open()
    await topUp('5')
    const scope = (id: Id<'tenant'>): TenantScope => ({
      kind: 'tenant',
      tenantId: id,
      projectId: null,
      actor: { kind: 'user', id: 'u' },
    })
    const other = scope(ids.next('tenant'))
    expect(await codeOf(money.wallet(other, tenantId))).toBe('money.wallet.unknown')
    expect(await codeOf(money.wallet(other, other.tenantId))).toBe('money.wallet.unknown')
    expect(await money.wallet(scope(tenantId), tenantId)).toMatchObject({ balance: '5' })
    const own = await money.entries(scope(tenantId), tenantId)
    expect(own.map((entry) => [entry.account.kind, entry.amount])).toEqual([['wallet', '5']])
    expect((await money.entries(system, tenantId)).length).toBe(2)
  })
})

describe('the book of accounts', () => {
  it('refuses what does not add up to zero, and every change of what was written', async () => {
    await open()
    await topUp('5')
    await money.record([uses('e1', 1n)])
    await rateAll()
    const run = (statement: string) =>
      codeOf(test.store.tables<object>().run(system, (tx) => sql.raw(statement).execute(tx)))
    const posting = `insert into ledger_postings values ('x', '${tenantId}', 'hold', 'x', now())`
    const entry = (amount: string) =>
      `insert into ledger_entries (posting_id, tenant_id, account, amount, currency)
       select id, tenant_id, 'wallet', ${amount}, 'CNY' from ledger_postings where tenant_id = '${tenantId}' limit 1`
    expect(await run(posting)).toBe('nothing thrown')
    expect(await run(entry('0.000000000000000001'))).toMatch(/does not add up to zero/)
    for (const table of ['ledger_entries', 'ledger_postings', 'charges', 'meter_events', 'price_books']) {
      expect(await run(`delete from ${table}`)).toMatch(/append-only/)
      expect(await run(`truncate ${table} cascade`)).toMatch(/append-only|denied|owner/)
    }
    expect(await run(`update charges set amount = 0`)).toMatch(/append-only/)
    expect(await run(`update wallets set balance = -0.01 where tenant_id = '${tenantId}'`)).toMatch(/check constraint/)
  })
})

describe('pricing', () => {
  it('comes to the same in whatever order and batches, repeated, and with a clock that goes back', async () => {
    const part = fc.record({
      keys: fc.array(fc.nat(30), { maxLength: 12 }),
      clockMs: fc.integer({ min: -3_000_000_000, max: 3_000_000_000 }),
      rates: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (parts) => {
        tenantId = ids.next('tenant')
        await open()
        await topUp('1')
        // Every third ends with the month, and belongs to it; every fourth begins the next one.
        const ends = (key: number) =>
          key % 4 === 0 ? '2026-11-30T16:00:00.001Z' : key % 3 === 0 ? '2026-11-30T16:00Z' : '2026-11-12T00:00Z'
        const event = (key: number) =>
          uses(`k${key}`, BigInt(key), { startedAt: new Date('2026-11-11T16:00Z'), endedAt: new Date(ends(key)) })
        for (const { keys, clockMs, rates } of parts) {
          nowMs = START + clockMs
          await money.record([...new Set(keys)].map(event))
          if (rates) await money.rate()
        }
        await rateAll()
        const all = [...new Set(parts.flatMap(({ keys }) => keys))]
        const cents = (keys: readonly number[]) => sum(keys.map((key) => multiply(String(key), '0.01')))
        const of = async (month: string) => (await money.statement(system, { tenantId, month })).exact
        expect(await of('2026-11')).toBe(cents(all.filter((key) => key % 4 !== 0)))
        expect(await of('2026-12')).toBe(cents(all.filter((key) => key % 4 === 0)))
        const { balance, owed } = await money.wallet(system, tenantId)
        expect(subtract(balance, owed)).toBe(subtract('1', cents(all)))
      }),
      { numRuns: 12 },
    )
  })

  it('takes an event once, and corrections where the event counted', async () => {
    await open()
    await topUp('5')
    expect(await money.record([uses('e1', 100n), uses('e2', 7n)])).toEqual({ recorded: 2 })
    expect(await money.record([uses('e2', 7n), uses('e3', 1n)])).toEqual({ recorded: 1 })
    expect(await codeOf(money.record([uses('e2', 8n)]))).toBe('money.repeat.differs')
    expect(await codeOf(money.record([uses('e4', -8n)]))).toBe('money.event.invalid')
    await rateAll()
    const [line] = (await money.statement(system, { tenantId, month: '2026-11' })).lines
    expect(line).toMatchObject({ events: 3, quantity: 108n, exact: '1.08' })
    if (line === undefined) throw new Error('no line')
    const found = await money.lineEvents(system, { tenantId, month: '2026-11', line })
    const first = found.find(({ event }) => event.sourceKey === 'e1')
    const correct = (sourceKey: string, quantity: bigint) =>
      money.correct({ sourceKey, correctionOf: first?.event.id ?? '', quantity, cuMicro: null, evidenceId: null })
    expect(await correct('c1', -60n)).toEqual({ recorded: 1 })
    expect(await correct('c1', -60n)).toEqual({ recorded: 0 })
    expect(await codeOf(correct('c2', -41n))).toBe('money.correction.exceeds')
    await rateAll()
    const after = await money.statement(system, { tenantId, month: '2026-11' })
    expect(after).toMatchObject({ lines: [{ events: 4, quantity: 48n, exact: '0.48' }], complete: true })
    expect(await money.wallet(system, tenantId)).toMatchObject({ balance: '4.52' })
  })

  it('waits for a price, and corrects by reversals when prices change behind', async () => {
    await open()
    await topUp('5')
    const share = { kind: null, model: null, product: null, validFrom: new Date(0), validTo: null }
    const product = ids.next('book')
    await money.addShare({ ...share, account: 'partner', ownerId: 'maker', share: '0.3', product })
    await money.addShare({ ...share, account: 'data-provider', ownerId: 'lib', share: '0.005', product })
    const greedy = money.addShare({ ...share, account: 'partner', ownerId: 'two', share: '0.7', product })
    expect(await codeOf(greedy)).toBe('money.share.invalid')
    await money.record([uses('e1', 10n, { product }), uses('j1', 4n, { kind: 'joules' })])
    await rateAll()
    const draft = () => money.statement(system, { tenantId, month: '2026-11' })
    expect(await draft()).toMatchObject({ complete: false, lines: [{ exact: '0.1' }, { kind: 'joules', exact: null }] })
    expect(await accounts()).toMatchObject({ 'partner maker': '0.03', revenue: '0.0695' })
    await money.publish({
      ...book,
      version: 2,
      rules: [aRule({ kind: 'data-uses', price: '0.02', per: 1n }), aRule({ kind: 'joules', price: '1', per: 8n })],
    })
    expect(await codeOf(money.publish({ ...book, discount: '0.5' }))).toBe('money.book.published')
    const month = { tenantId, from: new Date('2026-10-31T16:00Z'), to: new Date('2026-11-30T16:00Z') }
    expect(await money.rerate(month)).toEqual({ corrected: 1 })
    expect(await money.rerate(month)).toEqual({ corrected: 0 })
    await rateAll()
    expect(await draft()).toMatchObject({ complete: true, lines: [{ events: 1, exact: '0.2' }, { exact: '0.5' }] })
    expect(await accounts()).toMatchObject({ 'partner maker': '0.06', 'data-provider lib': '0.001', wallet: '4.3' })
  })

  it('tells of budgets once a month each share', async () => {
    await open()
    await topUp('100')
    await money.setBudget({ tenantId, projectId: 'p', amount: '1', alertShares: ['0.5', '1'] })
    await money.setBudget({ tenantId, projectId: null, amount: '2', alertShares: ['0.8'] })
    for (const [key, quantity] of [
      ['a', 40n],
      ['b', 20n],
      ['c', 30n],
    ] as const) {
      await money.record([uses(key, quantity)])
      await rateAll()
    }
    await money.record([uses('d', 80n, { projectId: 'q' })])
    await rateAll()
    expect(await events('money.budget.reached')).toMatchObject([
      { projectId: 'p', spent: '0.6', share: '0.5' },
      { projectId: null, spent: '1.7', share: '0.8' },
    ])
    expect(await money.budgets(system, tenantId)).toMatchObject([{ spent: '1.7' }, { spent: '0.9', month: '2026-11' }])
  })
})
