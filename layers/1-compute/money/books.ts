import { digestOf } from '@medley/kernel'
import { sql } from 'kysely'
import { canonical, compare, isDecimal } from './domain/decimal.ts'
import { flawsOf } from './domain/pricing.ts'
import { giveTooMuch, type RevenueShare } from './domain/shares.ts'
import type { Currency, MeterKind, PriceBook, PriceRule } from './domain/terms.ts'
import { errors } from './errors.ts'
import { now, type Parts, type Tx } from './parts.ts'

/** `per` as text, as JSON has no numbers of 64 bits. */
type StoredRule = Omit<PriceRule, 'per'> & { readonly per: string }

interface BookRow {
  name: string
  version: number
  currency: Currency
  time_zone: string
  valid_from: Date
  valid_to: Date | null
  rules: StoredRule[]
  discount: string
}

const lockName = (name: string) => `medley:money:book:${name}`

/** @throws AppError `money.book.invalid`, `money.book.published` */
export async function publishBook(tx: Tx, parts: Parts, book: PriceBook): Promise<void> {
  const flaws = flawsOf(book)
  if (flaws.length > 0) throw errors['book.invalid']({}, { errors: flaws })
  const { rules, validFrom, validTo, ...rest } = book
  const stored = rules.map((rule) => ({ ...rule, hours: [...rule.hours], per: rule.per.toString() }))
  const digest = digestOf({
    ...rest,
    validFrom: validFrom.toISOString(),
    validTo: validTo?.toISOString() ?? null,
    rules: stored.map((rule) => ({ ...rule, hours: rule.hours.map((hours) => ({ ...hours })) })),
  })
  // Nobody prices meanwhile: whoever found no price before must see that it is due again.
  await sql`select pg_advisory_xact_lock(hashtext(${lockName(book.name)}))`.execute(tx)
  const { rows: known } = await sql<{ version: number; digest: string; currency: string }>`
    select version, digest, currency from price_books where name = ${book.name}`.execute(tx)
  const same = known.find((row) => row.version === book.version)
  if (same !== undefined) {
    if (same.digest === digest) return
    throw errors['book.published']({ name: book.name, version: book.version })
  }
  if (known.some((row) => row.currency !== book.currency)) {
    const message = `${known[0]?.currency}, as its other versions`
    throw errors['book.invalid']({}, { errors: [{ path: 'currency', message }] })
  }
  await sql`
    insert into price_books (name, version, digest, currency, time_zone, valid_from, valid_to, rules, discount,
      published_at)
    values (${book.name}, ${book.version}, ${digest}, ${book.currency}, ${book.timeZone}, ${validFrom}, ${validTo},
      ${JSON.stringify(stored)}::jsonb, ${book.discount}, ${now(parts)})`.execute(tx)
  await sql`
    update meter_due set unpriced = false
    from wallets where wallets.tenant_id = meter_due.tenant_id and wallets.book_name = ${book.name} and unpriced`.execute(
    tx,
  )
}

export async function loadBooks(tx: Tx, name: string): Promise<PriceBook[]> {
  const { rows } = await sql<BookRow>`select * from price_books where name = ${name} order by version`.execute(tx)
  return rows.map((row) => ({
    name: row.name,
    version: row.version,
    currency: row.currency,
    timeZone: row.time_zone,
    validFrom: row.valid_from,
    validTo: row.valid_to,
    rules: row.rules.map((rule) => ({ ...rule, per: BigInt(rule.per) })),
    discount: canonical(row.discount),
  }))
}

/** For pricing: no version appears until this transaction ends. */
export async function loadBooksToPrice(tx: Tx, name: string): Promise<PriceBook[]> {
  await sql`select pg_advisory_xact_lock_shared(hashtext(${lockName(name)}))`.execute(tx)
  return await loadBooks(tx, name)
}

interface ShareRow {
  account: RevenueShare['account']
  owner_id: string
  kind: MeterKind | null
  model: string | null
  product: string | null
  share: string
  valid_from: Date
  valid_to: Date | null
}

export async function loadShares(tx: Tx): Promise<RevenueShare[]> {
  const { rows } = await sql<ShareRow>`select * from revenue_shares order by id`.execute(tx)
  return rows.map((row) => ({
    account: row.account,
    ownerId: row.owner_id,
    kind: row.kind,
    model: row.model,
    product: row.product,
    share: canonical(row.share),
    validFrom: row.valid_from,
    validTo: row.valid_to,
  }))
}

/** The same again changes nothing. @throws AppError `money.share.invalid` */
export async function insertShare(tx: Tx, parts: Parts, share: RevenueShare): Promise<void> {
  const fits = isDecimal(share.share, 6) && compare(share.share, '0') > 0 && share.ownerId !== ''
  if (!fits) throw errors['share.invalid']()
  await sql`select pg_advisory_xact_lock(hashtext('medley:money:shares'))`.execute(tx)
  const known = await loadShares(tx)
  const identity = (one: RevenueShare) =>
    JSON.stringify([one.account, one.ownerId, one.kind, one.model, one.product, one.validFrom])
  const same = known.find((one) => identity(one) === identity(share))
  if (same !== undefined) {
    if (compare(same.share, share.share) === 0 && same.validTo?.getTime() === share.validTo?.getTime()) return
    throw errors['repeat.differs']({ key: share.ownerId })
  }
  if (giveTooMuch(known, share)) throw errors['share.invalid']()
  await sql`
    insert into revenue_shares (id, account, owner_id, kind, model, product, share, valid_from, valid_to)
    values (${parts.ids.next('share')}, ${share.account}, ${share.ownerId}, ${share.kind}, ${share.model},
      ${share.product}, ${share.share}, ${share.validFrom}, ${share.validTo})`.execute(tx)
}
