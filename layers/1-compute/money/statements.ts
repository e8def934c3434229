import { sql } from 'kysely'
import { canonical } from './domain/decimal.ts'
import { draw, type LineKey, type Statement, type UnroundedLine } from './domain/statement.ts'
import type { MeterKind, PriceUnit } from './domain/terms.ts'
import { isMonth, monthStretch } from './domain/zone.ts'
import { errors } from './errors.ts'
import { type MeterEventRow, toMeterEvent } from './meter-rows.ts'
import type { Tx } from './parts.ts'
import type { LineEvent, WalletView } from './ports.ts'

const MOST_EVENTS = 1_000

type Owner = Pick<WalletView, 'tenantId' | 'timeZone' | 'currency'>

function stretchOf(owner: Owner, month: string): { startsAt: Date; endsAt: Date } {
  if (!isMonth(month)) throw errors['month.invalid']()
  const { startMs, endMs } = monthStretch(owner.timeZone, month)
  return { startsAt: new Date(startMs), endsAt: new Date(endMs) }
}

interface LineRow {
  kind: MeterKind
  model: string | null
  product: string | null
  unit: PriceUnit | null
  events: string
  quantity: string
  exact: string | null
}

/** The database adds up: memory does not grow with the number of events. @throws AppError `money.month.invalid` */
export async function draftStatement(tx: Tx, owner: Owner, month: string): Promise<Statement> {
  const { startsAt, endsAt } = stretchOf(owner, month)
  const { rows } = await sql<LineRow>`
    select * from (
      select kind, model, product, unit, 
        count(*) filter (where entry = 'charge') - count(*) filter (where entry = 'reversal') as events, sum(quantity) as quantity,
        sum(amount) as exact
      from charges where tenant_id = ${owner.tenantId} and counted_at >= ${startsAt} and counted_at < ${endsAt}
      group by kind, model, product, unit
      -- What was reversed whole, such as by a price of another unit, is no line any more.
      having count(*) filter (where entry = 'charge') > count(*) filter (where entry = 'reversal')
      union all
      select e.kind, e.model, e.product, null, count(*), sum(e.quantity), null
      from meter_due d join meter_events e on e.id = d.event_id
      where d.tenant_id = ${owner.tenantId} and e.counted_at >= ${startsAt} and e.counted_at < ${endsAt}
      group by e.kind, e.model, e.product
    ) as lines
    order by kind collate "C", model collate "C" nulls first, product collate "C" nulls first,
      unit collate "C" nulls last`.execute(tx)
  const lines = rows.map(
    (row): UnroundedLine => ({
      kind: row.kind,
      model: row.model,
      product: row.product,
      unit: row.unit,
      events: Number(row.events),
      quantity: BigInt(row.quantity),
      exact: row.exact === null ? null : canonical(row.exact),
    }),
  )
  const { tenantId, timeZone, currency } = owner
  const complete = lines.every((line) => line.exact !== null)
  return draw({ tenantId, month, timeZone, startsAt, endsAt, currency, complete }, lines)
}

interface LineEventRow extends MeterEventRow {
  amount: string | null
  unit_price: string | null
  book_name: string | null
  book_version: number | null
  rule_id: string | null
}

/** Down to what was metered, with what all its charges and reversals come to. */
export async function readLineEvents(
  tx: Tx,
  owner: Owner,
  order: { month: string; line: LineKey; after?: string; limit?: number },
): Promise<LineEvent[]> {
  const { startsAt, endsAt } = stretchOf(owner, order.month)
  const { kind, model, product, unit } = order.line
  const of =
    unit === null ? sql`exists (select from meter_due d where d.event_id = e.id)` : sql`standing.unit = ${unit}`
  const { rows } = await sql<LineEventRow>`
    select e.*, standing.amount, standing.unit_price, standing.book_name, standing.book_version, standing.rule_id
    from meter_events e
    left join lateral (
      select c.unit, c.amount, c.unit_price, c.book_name, c.book_version, c.rule_id from charges c
      where c.event_id = e.id and c.entry = 'charge' and not exists (
        select from charges r where r.event_id = e.id and r.revision = c.revision and r.entry = 'reversal')
    ) as standing on true
    where e.tenant_id = ${owner.tenantId} and e.counted_at >= ${startsAt} and e.counted_at < ${endsAt}
      and e.kind = ${kind} and e.model is not distinct from ${model} and e.product is not distinct from ${product}
      and ${of} and e.id > ${order.after ?? ''}
    order by e.id limit ${Math.min(order.limit ?? 100, MOST_EVENTS)}`.execute(tx)
  return rows.map((row) => ({
    event: toMeterEvent(row),
    amount: row.amount === null ? null : canonical(row.amount),
    unitPrice: row.unit_price === null ? null : canonical(row.unit_price),
    book:
      row.book_name === null || row.book_version === null || row.rule_id === null
        ? null
        : { name: row.book_name, version: row.book_version, ruleId: row.rule_id },
  }))
}
