import { sql } from 'kysely'
import { loadBooksToPrice, loadShares } from './books.ts'
import { countSpend } from './budgets.ts'
import { add, canonical, type Decimal, negate, subtract } from './domain/decimal.ts'
import { bookAt, priceOf } from './domain/pricing.ts'
import { partsOf, type RevenueShare, type SharePart } from './domain/shares.ts'
import type { PriceBook, PriceUnit } from './domain/terms.ts'
import { move } from './domain/wallet.ts'
import { type Entry, earned, lockWallet, post, toWallet, type Wallet } from './ledger.ts'
import { type MeterEventRow, toMeterEvent } from './meter-rows.ts'
import { now, type Parts, type Tx } from './parts.ts'

const BATCH = 1_000

/** One row of `charges`, but for its id and posting. */
interface Charge {
  readonly event_id: string
  readonly project_id: string
  readonly entry: 'charge' | 'reversal'
  /** `null`: the next one. */
  readonly revision: number | null
  readonly book_name: string
  readonly book_version: number
  readonly rule_id: string
  readonly kind: string
  readonly model: string | null
  readonly product: string | null
  readonly unit: PriceUnit
  readonly quantity: string
  readonly unit_price: Decimal
  readonly amount: Decimal
  readonly shares: readonly SharePart[]
  readonly counted_at: Date
}

interface Prices {
  readonly books: readonly PriceBook[]
  readonly shares: readonly RevenueShare[]
}

async function loadPrices(tx: Tx, wallet: Wallet): Promise<Prices> {
  return { books: await loadBooksToPrice(tx, wallet.bookName), shares: await loadShares(tx) }
}

/** A function of the event, the versions of the book and the shares alone: again at any time, it says the same. */
function chargeFor({ books, shares }: Prices, row: MeterEventRow): Charge | null {
  const at = row.counted_at
  const book = bookAt(books, at)
  const priced = book === null ? null : priceOf(book, toMeterEvent(row), at)
  if (book === null || priced === null) return null
  const { kind, model, product } = row
  return {
    event_id: row.id,
    project_id: row.project_id,
    entry: 'charge',
    revision: null,
    book_name: book.name,
    book_version: book.version,
    rule_id: priced.ruleId,
    kind,
    model,
    product,
    unit: priced.unit,
    quantity: priced.quantity.toString(),
    unit_price: priced.unitPrice,
    amount: priced.amount,
    shares: partsOf(shares, { kind, model, product, amount: priced.amount }, at),
    counted_at: at,
  }
}

/** Charges to a locked wallet what `released` from a hold may pay for. @returns the sum */
async function writeCharges(
  tx: Tx,
  parts: Parts,
  wallet: Wallet,
  charges: readonly Charge[],
  { released, sourceId }: { released: Decimal; sourceId: string },
): Promise<Decimal> {
  const total = charges.reduce((sum, charge) => add(sum, charge.amount), '0')
  const given = charges.flatMap((charge): Entry[] => [...charge.shares])
  const after = { ...wallet, ...move(wallet, { released, charged: total }), held: subtract(wallet.held, released) }
  const postingId = await post(tx, parts, wallet, after, { reason: 'charge', sourceId, others: earned(total, given) })
  const rows = charges.map((charge) => ({ ...charge, id: parts.ids.next('charge') }))
  await sql`
    insert into charges (id, tenant_id, project_id, event_id, revision, entry, book_name, book_version, rule_id, kind,
      model, product, unit, quantity, unit_price, amount, currency, shares, counted_at, charged_at, posting_id)
    select r.id, ${wallet.tenantId}, r.project_id, r.event_id,
      coalesce(r.revision, 1 + coalesce((select max(c.revision) from charges c where c.event_id = r.event_id), 0)),
      r.entry, r.book_name, r.book_version, r.rule_id, r.kind, r.model, r.product, r.unit, r.quantity, r.unit_price,
      r.amount, ${wallet.currency}, r.shares, r.counted_at, ${now(parts)}, ${postingId}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r(id text, project_id text, event_id text,
      revision integer, entry text, book_name text, book_version integer, rule_id text, kind text, model text,
      product text, unit text, quantity numeric, unit_price numeric, amount numeric, shares jsonb,
      counted_at timestamptz)`.execute(tx)
  await countSpend(
    tx,
    parts,
    wallet,
    charges.map((charge) => ({ projectId: charge.project_id, amount: charge.amount, at: charge.counted_at })),
  )
  return total
}

/** Prices and charges what is due of a locked wallet's tenant. Twice is impossible: what was charged is not due. */
export async function chargeDue(
  tx: Tx,
  parts: Parts,
  wallet: Wallet,
  order: { sourceId: string; released: Decimal; sourceKeys: readonly string[] | null },
): Promise<{ readonly done: number; readonly total: Decimal }> {
  const only = order.sourceKeys === null ? sql`true` : sql`e.source_key = any(${[...order.sourceKeys]})`
  const { rows } = await sql<MeterEventRow>`
    select e.* from meter_due d join meter_events e on e.id = d.event_id
    where d.tenant_id = ${wallet.tenantId} and not d.unpriced and ${only}
    order by d.event_id ${order.sourceKeys === null ? sql`limit ${BATCH}` : sql``}`.execute(tx)
  const prices = await loadPrices(tx, wallet)
  const charges = rows.map((row) => chargeFor(prices, row)).filter((charge) => charge !== null)
  const charged = new Set(charges.map((charge) => charge.event_id))
  const unpriced = rows.map((row) => row.id).filter((id) => !charged.has(id))
  await sql`delete from meter_due where event_id = any(${[...charged]})`.execute(tx)
  await sql`update meter_due set unpriced = true where event_id = any(${unpriced})`.execute(tx)
  if (charges.length === 0 && order.released === '0') return { done: rows.length, total: '0' }
  return { done: rows.length, total: await writeCharges(tx, parts, wallet, charges, order) }
}

/** One batch of any tenant, preferably of one that nobody else is at. @returns how many events; 0: none is due */
export async function rateBatch(parts: Parts): Promise<number> {
  for (;;) {
    const done = await parts.database.run(parts.system, async (tx) => {
      const wallet = (await pickWallet(tx, true)) ?? (await pickWallet(tx, false))
      if (wallet === null) return null
      const order = { sourceId: parts.ids.next('run'), released: '0', sourceKeys: null }
      return (await chargeDue(tx, parts, wallet, order)).done
    })
    // Another process may have done the work that was waited for: look again.
    if (done === null) return 0
    if (done > 0) return done
  }
}

async function pickWallet(tx: Tx, skipLocked: boolean): Promise<Wallet | null> {
  const { rows } = await sql<Parameters<typeof toWallet>[0]>`
    select * from wallets w
    where exists (select from meter_due d where d.tenant_id = w.tenant_id and not d.unpriced)
    limit 1 for update ${skipLocked ? sql`skip locked` : sql``}`.execute(tx)
  return rows[0] === undefined ? null : toWallet(rows[0])
}

type CurrentRow = Omit<Charge, 'revision'> & { readonly revision: number; readonly charged_quantity: string }

/** The charge of each event that stands, with the event, in order of time from a place on. */
async function currentCharges(
  tx: Tx,
  tenantId: string,
  place: { at: Date; id: string; to: Date },
): Promise<(CurrentRow & MeterEventRow)[]> {
  const { rows } = await sql<CurrentRow & MeterEventRow>`
    select e.*, c.event_id, c.revision, c.book_name, c.book_version, c.rule_id, c.unit, c.unit_price, c.amount,
      c.shares, c.quantity as charged_quantity
    from charges c join meter_events e on e.id = c.event_id
    where c.tenant_id = ${tenantId} and c.entry = 'charge' and c.counted_at < ${place.to}
      and c.counted_at >= ${place.at} and (c.counted_at, c.event_id) > (${place.at}, ${place.id})
      and not exists (
        select from charges r where r.event_id = c.event_id and r.revision = c.revision and r.entry = 'reversal')
    order by c.counted_at, c.event_id limit ${BATCH}`.execute(tx)
  return rows
}

function reversalOf(row: CurrentRow & MeterEventRow): Charge {
  return {
    event_id: row.event_id,
    project_id: row.project_id,
    entry: 'reversal',
    revision: row.revision,
    book_name: row.book_name,
    book_version: row.book_version,
    rule_id: row.rule_id,
    kind: row.kind,
    model: row.model,
    product: row.product,
    unit: row.unit,
    quantity: negate(row.charged_quantity),
    unit_price: canonical(row.unit_price),
    amount: negate(row.amount),
    shares: row.shares.map((part) => ({ ...part, amount: negate(part.amount) })),
    counted_at: row.counted_at,
  }
}

function isSame(old: CurrentRow, fresh: Charge | null): boolean {
  return (
    fresh !== null &&
    canonical(old.amount) === fresh.amount &&
    canonical(old.unit_price) === fresh.unit_price &&
    old.unit === fresh.unit &&
    JSON.stringify(old.shares.map(partKey)) === JSON.stringify(fresh.shares.map(partKey))
  )
}

const partKey = (part: SharePart) => [part.account, part.ownerId, part.amount]

/**
 * Where today's prices or shares say otherwise, what was charged is reversed and charged anew; nothing is changed or
 * removed. Done again it finds nothing. An event without a price any more becomes due, and waits.
 *
 * @returns how many events
 */
export async function rerateTenant(
  parts: Parts,
  { tenantId, from, to }: { tenantId: string; from: Date; to: Date },
): Promise<number> {
  let place = { at: from, id: '', to }
  let corrected = 0
  for (;;) {
    const seen = await parts.database.run(parts.system, async (tx) => {
      const wallet = await lockWallet(tx, tenantId)
      const prices = await loadPrices(tx, wallet)
      const rows = await currentCharges(tx, tenantId, place)
      const changed = rows
        .map((row) => ({ row, fresh: chargeFor(prices, row) }))
        .filter(({ row, fresh }) => !isSame(row, fresh))
      const reversals = changed.map(({ row }) => reversalOf(row))
      const fresh = changed.flatMap((change) => (change.fresh === null ? [] : [change.fresh]))
      const lost = changed.filter((change) => change.fresh === null).map(({ row }) => row.id)
      await sql`
        insert into meter_due (event_id, tenant_id, unpriced)
        select id, ${tenantId}, true from unnest(${lost}::text[]) as id`.execute(tx)
      const order = { sourceId: parts.ids.next('run'), released: '0' }
      if (changed.length > 0) await writeCharges(tx, parts, wallet, [...reversals, ...fresh], order)
      return { last: rows.at(-1) ?? null, changed: changed.length }
    })
    corrected += seen.changed
    if (seen.last === null) return corrected
    place = { at: seen.last.counted_at, id: seen.last.id, to }
  }
}
