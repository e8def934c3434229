import type { Scope } from '@medley/kernel'
import { sql } from 'kysely'
import { add, canonical, compare, type Decimal, isDecimal, negate } from './domain/decimal.ts'
import { CURRENCIES, type Currency } from './domain/terms.ts'
import { levelOf, move } from './domain/wallet.ts'
import { isTimeZone } from './domain/zone.ts'
import { errors } from './errors.ts'
import { lockWallet, post, requirePositive, toView, toWallet, type Wallet } from './ledger.ts'
import type { Parts, Tx } from './parts.ts'
import type { AccountKind, LedgerEntry, NewWallet, WalletTerms, WalletView } from './ports.ts'

const MONEY_DIGITS = 6
const MOST_ENTRIES = 1_000

function requireTerms(terms: WalletTerms): void {
  const isAmount = (text: string) => isDecimal(text, MONEY_DIGITS) && compare(text, '0') >= 0
  const fits =
    isAmount(terms.creditLimit) && isAmount(terms.lowAt) && ['stop', 'slow-down', 'ask'].includes(terms.atZero)
  if (!fits) throw errors['wallet.invalid']()
}

/** @throws AppError `money.wallet.invalid`, `money.book.unknown`, `money.wallet.open` */
export async function openWallet(tx: Tx, wallet: NewWallet): Promise<WalletView> {
  requireTerms(wallet)
  const { tenantId, currency, timeZone, bookName } = wallet
  if (tenantId === '' || !isTimeZone(timeZone) || !CURRENCIES.includes(currency)) throw errors['wallet.invalid']()
  const { rows: books } = await sql`
    select from price_books where name = ${bookName} and currency = ${currency} limit 1`.execute(tx)
  if (books.length === 0) throw errors['book.unknown']({ name: bookName, currency })
  const [balance, owed] = ['0', '0']
  const state = levelOf({ ...wallet, balance, owed })
  await sql`
    insert into wallets (tenant_id, currency, time_zone, book_name, credit_limit, low_at, at_zero, state)
    values (${tenantId}, ${currency}, ${timeZone}, ${bookName}, ${wallet.creditLimit}, ${wallet.lowAt},
      ${wallet.atZero}, ${state})
    on conflict (tenant_id) do nothing`.execute(tx)
  const found = await lockWallet(tx, tenantId)
  const same =
    found.currency === currency &&
    found.timeZone === timeZone &&
    found.bookName === bookName &&
    found.atZero === wallet.atZero &&
    compare(found.creditLimit, wallet.creditLimit) === 0 &&
    compare(found.lowAt, wallet.lowAt) === 0
  if (!same) throw errors['wallet.open']()
  return toView(found)
}

/** @throws AppError `money.wallet.invalid`, `money.credit.used` */
export async function setTerms(tx: Tx, parts: Parts, tenantId: string, terms: WalletTerms): Promise<WalletView> {
  requireTerms(terms)
  const wallet = await lockWallet(tx, tenantId)
  const [creditLimit, lowAt] = [canonical(terms.creditLimit), canonical(terms.lowAt)]
  if (compare(add(wallet.balance, creditLimit), '0') < 0) throw errors['credit.used']({ balance: wallet.balance })
  // A longer line pays at once what is owed.
  const after: Wallet = {
    ...wallet,
    ...move({ ...wallet, creditLimit, lowAt }, {}),
    atZero: terms.atZero,
    asked: false,
  }
  await post(tx, parts, wallet, after, { reason: 'terms', sourceId: parts.ids.next('op'), others: [] })
  return toView(after)
}

/** @throws AppError `money.amount.invalid`, `money.repeat.differs` */
export async function topUp(
  tx: Tx,
  parts: Parts,
  order: { tenantId: string; sourceKey: string; amount: Decimal },
): Promise<WalletView> {
  const amount = requirePositive(isDecimal(order.amount, MONEY_DIGITS), order.amount)
  const wallet = await lockWallet(tx, order.tenantId)
  const { rows: known } = await sql<{ amount: string }>`
    select e.amount from ledger_postings p join ledger_entries e on e.posting_id = p.id and e.account = 'top-up'
    where p.tenant_id = ${order.tenantId} and p.reason = 'top-up' and p.source_id = ${order.sourceKey}`.execute(tx)
  if (known[0] !== undefined) {
    if (compare(known[0].amount, negate(amount)) !== 0) throw errors['repeat.differs']({ key: order.sourceKey })
    return toView(wallet)
  }
  const after = { ...wallet, ...move(wallet, { toppedUp: amount }), asked: false }
  const others = [{ account: 'top-up' as const, ownerId: null, amount: negate(amount) }]
  await post(tx, parts, wallet, after, { reason: 'top-up', sourceId: order.sourceKey, others })
  return toView(after)
}

export async function readWallet(tx: Tx, tenantId: string): Promise<WalletView> {
  const { rows } = await sql<Parameters<typeof toWallet>[0]>`
    select * from wallets where tenant_id = ${tenantId}`.execute(tx)
  if (rows[0] === undefined) throw errors['wallet.unknown']()
  return toView(toWallet(rows[0]))
}

interface EntryRow {
  id: string
  posting_id: string
  account: AccountKind
  owner_id: string | null
  amount: string
  currency: Currency
  posted_at: Date
  reason: string
  source_id: string
}

/** Row-level security leaves a tenant its own accounts. */
export async function readEntries(
  tx: Tx,
  scope: Scope,
  tenantId: string,
  { after = 0n, limit = 100 }: { after?: bigint; limit?: number },
): Promise<LedgerEntry[]> {
  const visible = scope.kind === 'system' ? sql`p.tenant_id = ${tenantId}` : sql`e.tenant_id = ${tenantId}`
  const { rows } = await sql<EntryRow>`
    select e.id, e.posting_id, e.account, e.owner_id, e.amount, e.currency, p.posted_at, p.reason, p.source_id
    from ledger_entries e join ledger_postings p on p.id = e.posting_id
    where ${visible} and e.id > ${after.toString()}::bigint
    order by e.id limit ${Math.min(limit, MOST_ENTRIES)}`.execute(tx)
  return rows.map((row) => ({
    id: BigInt(row.id),
    postingId: row.posting_id,
    account: { kind: row.account, ownerId: row.owner_id },
    amount: canonical(row.amount),
    currency: row.currency,
    at: row.posted_at,
    reason: row.reason,
    sourceId: row.source_id,
  }))
}
