import { sql } from 'kysely'
import { add, canonical, compare, type Decimal, subtract } from './domain/decimal.ts'
import type { Currency } from './domain/terms.ts'
import { availableOf, levelOf, type WalletLevel, type WalletState } from './domain/wallet.ts'
import { errors } from './errors.ts'
import { now, type Parts, type Tx, tell } from './parts.ts'
import type { AccountKind, AtZero, WalletView } from './ports.ts'

export interface Wallet extends WalletState {
  readonly tenantId: string
  readonly currency: Currency
  readonly timeZone: string
  readonly bookName: string
  readonly held: Decimal
  readonly atZero: AtZero
  readonly told: WalletLevel
  readonly asked: boolean
}

interface WalletRow {
  tenant_id: string
  currency: Currency
  time_zone: string
  book_name: string
  balance: string
  held: string
  owed: string
  credit_limit: string
  low_at: string
  at_zero: AtZero
  state: WalletLevel
  asked: boolean
}

export function toWallet(row: WalletRow): Wallet {
  return {
    tenantId: row.tenant_id,
    currency: row.currency,
    timeZone: row.time_zone,
    bookName: row.book_name,
    balance: canonical(row.balance),
    held: canonical(row.held),
    owed: canonical(row.owed),
    creditLimit: canonical(row.credit_limit),
    lowAt: canonical(row.low_at),
    atZero: row.at_zero,
    told: row.state,
    asked: row.asked,
  }
}

export function toView(wallet: Wallet): WalletView {
  const { told: _told, asked: _asked, ...rest } = wallet
  return { ...rest, available: availableOf(wallet), state: levelOf(wallet) }
}

/**
 * Whoever moves a tenant's money takes its wallet first, so that all of it happens one after the other and nobody
 * waits in a circle.
 *
 * @throws AppError `money.wallet.unknown`
 */
export async function lockWallet(tx: Tx, tenantId: string): Promise<Wallet> {
  const { rows } = await sql<WalletRow>`select * from wallets where tenant_id = ${tenantId} for update`.execute(tx)
  if (rows[0] === undefined) throw errors['wallet.unknown']()
  return toWallet(rows[0])
}

export interface Entry {
  readonly account: AccountKind
  readonly ownerId: string | null
  readonly amount: Decimal
}

export interface Posting {
  readonly reason: 'hold' | 'release' | 'charge' | 'top-up' | 'terms'
  /** Unique for the reason within the tenant. */
  readonly sourceId: string
  /** On the accounts that are not the tenant's own. */
  readonly others: readonly Entry[]
}

/**
 * Takes a locked wallet from one state to the next and writes the posting that says so: wallet, hold and credit move
 * by the difference of the two states, the other side is given. The database refuses what does not add up to zero.
 */
export async function post(tx: Tx, parts: Parts, before: Wallet, after: Wallet, posting: Posting): Promise<string> {
  const id = parts.ids.next('posting')
  const own = (account: AccountKind, amount: Decimal): Entry => ({ account, ownerId: before.tenantId, amount })
  const entries = [
    own('wallet', subtract(after.balance, before.balance)),
    own('hold', subtract(after.held, before.held)),
    own('credit', subtract(before.owed, after.owed)),
    ...merged(posting.others),
  ].filter(({ amount }) => amount !== '0')
  const rows = entries.map((entry) => ({
    account: entry.account,
    owner_id: entry.ownerId,
    tenant_id: ['wallet', 'hold', 'credit'].includes(entry.account) ? before.tenantId : null,
    amount: entry.amount,
  }))
  const state = levelOf(after)
  await sql`
    with posting as (
      insert into ledger_postings (id, tenant_id, reason, source_id, posted_at)
      values (${id}, ${before.tenantId}, ${posting.reason}, ${posting.sourceId}, ${now(parts)})
    ), wallet as (
      update wallets set balance = ${after.balance}, held = ${after.held}, owed = ${after.owed},
        credit_limit = ${after.creditLimit}, low_at = ${after.lowAt}, at_zero = ${after.atZero}, state = ${state},
        asked = ${after.asked && state === after.told}
      where tenant_id = ${before.tenantId}
    )
    insert into ledger_entries (posting_id, tenant_id, account, owner_id, amount, currency)
    select ${id}, r.tenant_id, r.account, r.owner_id, r.amount, ${before.currency}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as r(tenant_id text, account text, owner_id text, amount numeric)`.execute(tx)
  if (state !== before.told) await tellLevel(tx, parts, after, state)
  return id
}

const LEVEL_EVENTS = { open: 'money.wallet.refilled', low: 'money.wallet.lowered', empty: 'money.wallet.emptied' }

async function tellLevel(tx: Tx, parts: Parts, wallet: Wallet, state: WalletLevel): Promise<void> {
  const { tenantId, balance, creditLimit, owed, atZero } = wallet
  const payload = { state, balance, creditLimit, owed, available: availableOf(wallet), atZero }
  await tell(tx, parts, { type: LEVEL_EVENTS[state], tenantId, subject: tenantId, payload })
}

/** One entry for each account, however many charges it is for. */
function merged(entries: readonly Entry[]): Entry[] {
  const found = new Map<string, Entry>()
  for (const entry of entries) {
    const key = `${entry.account} ${entry.ownerId ?? ''}`
    found.set(key, { ...entry, amount: add(found.get(key)?.amount ?? '0', entry.amount) })
  }
  return [...found.values()]
}

/** The operator's and the partners' side of something earned. */
export function earned(amount: Decimal, parts: readonly Entry[]): Entry[] {
  const given = parts.reduce((total, part) => add(total, part.amount), '0')
  return [{ account: 'revenue', ownerId: null, amount: subtract(amount, given) }, ...parts]
}

/** @throws AppError `money.amount.invalid` */
export function requirePositive(isFit: boolean, amount: Decimal): Decimal {
  if (!isFit || compare(amount, '0') <= 0) throw errors['amount.invalid']()
  return canonical(amount)
}
