import { readFileSync } from 'node:fs'
import { systemScope } from '@medley/kernel'
import { storeMigrations } from '@medley/store'
import { startTestStore, type TestStore } from '@medley/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sum } from './domain/decimal.ts'
import { draw, type UnroundedLine } from './domain/statement.ts'
import {
  createMoney,
  METER_KINDS,
  type Money,
  moneyMigrations,
  type NewMeterEvent,
  SCORE_CLASSES,
  statementCsv,
} from './index.ts'
import { aBook, anEvent, aRule, clock, ids } from './money.fixture.ts'

const EVENTS = Number(process.env.MEDLEY_STATEMENT_EVENTS ?? 20_000)
const system = systemScope('test')
const SQL = readFileSync(new URL('./statement.sql', import.meta.url), 'utf8')
let test: TestStore
let money: Money

beforeAll(async () => {
  test = await startTestStore(storeMigrations, moneyMigrations)
  money = createMoney({ store: test.store, clock, ids })
}, 120_000)
afterAll(() => test?.close())

/** A small generator with a seed (mulberry32): the same month every time. */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * sides)
  }
}

/** November in New York and some hours around: the clock goes back on its first day. */
function generated(tenantId: string, roll: (sides: number) => number, n: number): NewMeterEvent {
  const pick = <Item>(items: readonly Item[]) => items[roll(items.length)] as Item
  const kind = pick(METER_KINDS)
  const wholeHours = roll(4) === 0
  const startMs = Date.UTC(2026, 9, 31, 20) + roll(32 * 24) * 3_600_000 + (wholeHours ? 0 : roll(3_600_000))
  const chips = kind === 'chip-seconds'
  return anEvent(tenantId, {
    sourceKey: `event ${n}`,
    projectId: pick(['p', 'q', 'r']),
    kind,
    quantity: BigInt(roll(2 ** 31)) * (kind === 'storage-byte-hours' ? 1_000_003n : 1n),
    model: pick(['small', 'large', null]),
    product: pick(['p1', 'p2', null]),
    scoreClass: pick([...SCORE_CLASSES, null]),
    cuMicro: chips && roll(3) > 0 ? BigInt(roll(2 ** 31)) : null,
    startedAt: new Date(startMs),
    endedAt: new Date(startMs + (roll(5) === 0 ? 0 : wholeHours ? 3_600_000 : roll(3_600_000))),
  })
}

async function fill(tenantId: string): Promise<void> {
  const roll = dice(20_261_123)
  const events = Array.from({ length: EVENTS }, (_, n) => generated(tenantId, roll, n))
  for (let at = 0; at < EVENTS; at += 5_000) await money.record(events.slice(at, at + 5_000))
  while ((await money.rate()) > 0);
}

async function recomputed(tenantId: string): Promise<unknown[]> {
  const client = await test.store.pool.connect()
  try {
    await client.query(`select set_config('medley.scope', 'system', false)`)
    return (await client.query(SQL, [tenantId, '2026-11-01'])).rows
  } finally {
    client.release(true)
  }
}

describe('a statement', () => {
  it('equals what SQL alone makes of the raw events, to the last digit, also after prices and events were corrected', async () => {
    const tenantId = ids.next('tenant')
    const book = aBook({ timeZone: 'America/New_York' })
    await money.publish(book)
    await money.publish({ ...book, version: 2, validFrom: new Date('2026-11-15T05:00Z'), discount: '0.125' })
    await money.openWallet({
      tenantId,
      currency: 'CNY',
      timeZone: 'America/New_York',
      bookName: book.name,
      creditLimit: '100000',
      lowAt: '0',
      atZero: 'stop',
    })
    await fill(tenantId)
    const month = '2026-11'
    const compare = async () => {
      const statement = await money.statement(system, { tenantId, month })
      const lines = statement.lines.map((line) => ({
        kind: line.kind,
        model: line.model,
        product: line.product,
        unit: line.unit,
        events: line.events,
        quantity: line.unit === null ? '0' : line.quantity.toString(),
        exact: line.exact,
        amount: line.amount,
      }))
      const told = (await recomputed(tenantId)).map((row) => {
        const line = row as (typeof lines)[number]
        return line.unit === null ? { ...line, quantity: '0' } : line
      })
      expect(told).toEqual(lines)
      return statement
    }
    const before = await compare()
    expect(before.lines.length).toBeGreaterThan(60)
    expect(before.lines.some((line) => line.unit === null) && !before.complete).toBe(true)

    const joules = aRule({ kind: 'joules', price: '0.0000002', per: 1n })
    const dearer = aRule({ kind: 'data-uses', price: '0.017', per: 1n, model: 'large' })
    const rules = [...book.rules, joules, dearer]
    await money.publish({ ...book, version: 3, rules, validFrom: new Date('2026-11-20T05:00Z') })
    while ((await money.rate()) > 0);
    const stretch = { tenantId, from: before.startsAt, to: before.endsAt }
    expect((await money.rerate(stretch)).corrected).toBeGreaterThan(EVENTS / 100)
    const line = before.lines.find(({ kind }) => kind === 'chip-seconds')
    if (line === undefined) throw new Error('no line')
    for (const { event } of await money.lineEvents(system, { tenantId, month, line, limit: 20 })) {
      const cuMicro = event.cuMicro === null ? null : -event.cuMicro
      const sourceKey = `correction of ${event.sourceKey}`
      await money.correct({
        sourceKey,
        correctionOf: event.id,
        quantity: -event.quantity / 3n,
        cuMicro,
        evidenceId: null,
      })
    }
    while ((await money.rate()) > 0);
    const after = await compare()
    expect(after.exact).not.toBe(before.exact)

    // Every line is what its events come to, and every charge is in the ledger.
    const [first] = after.lines
    if (first === undefined) throw new Error('no line')
    const parts: string[] = []
    for (let place = ''; ; ) {
      const page = await money.lineEvents(system, { tenantId, month, line: first, after: place, limit: 1_000 })
      parts.push(...page.map(({ amount }) => amount ?? '0'))
      const last = page.at(-1)
      if (last === undefined) break
      place = last.event.id
    }
    expect([parts.length, sum(parts)]).toEqual([first.events, first.exact])
    const { rows } = await test.store.tables<object>().run(system, async (tx) => {
      return await sql`
        select (select sum(amount) from charges where tenant_id = ${tenantId})
          = (select sum(amount) from ledger_entries where account = 'revenue') as equal,
          (select -sum(amount) from charges where tenant_id = ${tenantId})
          = (select balance - owed from wallets where tenant_id = ${tenantId}) as paid,
          (select sum(spent) from project_spend where tenant_id = ${tenantId})
          = (select sum(amount) from charges where tenant_id = ${tenantId}) as spent`.execute(tx)
    })
    expect(rows).toEqual([{ equal: true, paid: true, spent: true }])
  }, 600_000)

  it('shows how it was rounded, in both languages', () => {
    const line = (fields: Partial<UnroundedLine>): UnroundedLine => ({
      kind: 'tokens.output',
      model: 'small',
      product: null,
      unit: 'tokens.output',
      events: 1,
      quantity: 5n,
      exact: '0.125',
      ...fields,
    })
    const head = {
      tenantId: 't',
      month: '2026-11',
      timeZone: 'Asia/Shanghai',
      startsAt: new Date('2026-10-31T16:00Z'),
      endsAt: new Date('2026-11-30T16:00Z'),
      currency: 'CNY' as const,
      complete: false,
    }
    const statement = draw(head, [
      line({}),
      line({ model: '=cmd,"x"', exact: '1.135' }),
      line({ kind: 'joules', unit: null, exact: null }),
    ])
    expect(statement).toMatchObject({ exact: '1.26', total: '1.26', rounding: '0' })
    expect(draw(head, [line({}), line({})])).toMatchObject({ exact: '0.25', total: '0.24', rounding: '-0.01' })
    expect(statementCsv(statement, 'en').split('\r\n').slice(1)).toEqual([
      'output tokens,small,,output tokens,1,5,0.125,0.12,CNY',
      `output tokens,"'=cmd,""x""",,output tokens,1,5,1.135,1.14,CNY`,
      'joules,small,,no price,1,5,,,CNY',
      'Rounding,,,,,,,0,CNY',
      'Total,,,,,,1.26,1.26,CNY',
      '',
    ])
    expect(statementCsv(statement, 'zh-CN')).toMatch(
      /^\uFEFF计量类型,模型,产品,计价单位,事件数,数量,精确金额,金额,币种\r\n/,
    )
  })
})
