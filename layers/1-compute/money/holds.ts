import type { Id } from '@medley/kernel'
import { sql } from 'kysely'
import { add, canonical, compare, type Decimal, isDecimal, subtract } from './domain/decimal.ts'
import { availableOf, levelOf, move, takeOut } from './domain/wallet.ts'
import { errors } from './errors.ts'
import { lockWallet, post, requirePositive, type Wallet } from './ledger.ts'
import { digestOfEvents, recordEvents } from './metering.ts'
import { now, type Parts, type Tx, tell } from './parts.ts'
import type { HoldOutcome, HoldRequest, HoldState, NewMeterEvent } from './ports.ts'
import { chargeDue } from './rating.ts'

const MOST_TTL_MS = 400 * 86_400_000
const SWEEP_BATCH = 100

interface HoldRow {
  id: string
  tenant_id: string
  amount: string
  state: HoldState
  charged: string | null
  capture_digest: string | null
  expires_at: Date
}

/** @throws AppError `money.amount.invalid`, `money.repeat.differs`, `money.wallet.unknown` */
export async function placeHold(tx: Tx, parts: Parts, request: HoldRequest): Promise<HoldOutcome> {
  const { tenantId, requestId, ttlMs } = request
  const timed = Number.isInteger(ttlMs) && ttlMs > 0 && ttlMs <= MOST_TTL_MS
  const amount = requirePositive(isDecimal(request.amount, 18) && timed && requestId !== '', request.amount)
  const wallet = await lockWallet(tx, tenantId)
  const { rows } = await sql<HoldRow>`
    select * from wallet_holds where tenant_id = ${tenantId} and request_id = ${requestId}`.execute(tx)
  const known = rows[0]
  if (known !== undefined) {
    if (compare(known.amount, amount) !== 0) throw errors['repeat.differs']({ key: requestId })
    if (known.state !== 'held') return { kind: 'over', id: known.id as Id<'hold'>, state: known.state }
    return held(known.id, known.expires_at, wallet)
  }
  // What nobody came back for is money again, at the latest when it is needed.
  const roomy = compare(availableOf(wallet), amount) < 0 ? (await expireHolds(tx, parts, wallet)).wallet : wallet
  const taken = takeOut(roomy, amount)
  if (taken === null) return await refuse(tx, parts, roomy, amount)
  const id = parts.ids.next('hold')
  const expiresAt = new Date(parts.clock.now() + ttlMs)
  await sql`
    insert into wallet_holds (id, tenant_id, request_id, amount, state, opened_at, expires_at)
    values (${id}, ${tenantId}, ${requestId}, ${amount}, 'held', ${now(parts)}, ${expiresAt})`.execute(tx)
  const after = { ...roomy, ...taken, held: add(roomy.held, amount) }
  await post(tx, parts, roomy, after, { reason: 'hold', sourceId: id, others: [] })
  return held(id, expiresAt, after)
}

function held(id: string, expiresAt: Date, wallet: Wallet): HoldOutcome {
  const slow = wallet.atZero === 'slow-down' && levelOf(wallet) !== 'open'
  return { kind: 'held', id: id as Id<'hold'>, expiresAt, pace: slow ? 'slow' : 'full' }
}

/** With `ask` somebody who can top up is asked: once until the wallet changes. */
async function refuse(tx: Tx, parts: Parts, wallet: Wallet, amount: Decimal): Promise<HoldOutcome> {
  const { tenantId, atZero } = wallet
  const available = availableOf(wallet)
  if (atZero === 'ask' && !wallet.asked) {
    await sql`update wallets set asked = true where tenant_id = ${tenantId}`.execute(tx)
    const payload = { amount, available }
    await tell(tx, parts, { type: 'money.approval.requested', tenantId, subject: tenantId, payload })
  }
  return { kind: 'refused', atZero, available }
}

/** Its tenant's wallet locked, and the hold as it is then. */
async function lockHold(tx: Tx, holdId: string): Promise<{ hold: HoldRow; wallet: Wallet }> {
  const read = async () => {
    const { rows } = await sql<HoldRow>`select * from wallet_holds where id = ${holdId}`.execute(tx)
    if (rows[0] === undefined) throw errors['hold.unknown']()
    return rows[0]
  }
  const wallet = await lockWallet(tx, (await read()).tenant_id)
  return { wallet, hold: await read() }
}

/** @throws AppError `money.hold.unknown`, `money.event.invalid`, `money.repeat.differs` */
export async function captureHold(
  tx: Tx,
  parts: Parts,
  holdId: string,
  events: readonly NewMeterEvent[],
): Promise<{ charged: Decimal }> {
  const { hold, wallet } = await lockHold(tx, holdId)
  const digest = digestOfEvents(events)
  if (hold.state === 'captured') {
    if (hold.capture_digest !== digest) throw errors['repeat.differs']({ key: holdId })
    return { charged: canonical(hold.charged ?? '0') }
  }
  if (events.some((event) => event.tenantId !== wallet.tenantId)) throw errors['event.invalid']()
  await recordEvents(tx, parts, events)
  const { total } = await chargeDue(tx, parts, wallet, {
    sourceId: holdId,
    released: hold.state === 'held' ? canonical(hold.amount) : '0',
    sourceKeys: events.map((event) => event.sourceKey),
  })
  await sql`
    update wallet_holds set state = 'captured', charged = ${total}, capture_digest = ${digest},
      closed_at = ${now(parts)}
    where id = ${holdId}`.execute(tx)
  return { charged: total }
}

/** @throws AppError `money.hold.unknown`, `money.hold.captured` */
export async function releaseHold(tx: Tx, parts: Parts, holdId: string): Promise<void> {
  const { hold, wallet } = await lockHold(tx, holdId)
  if (hold.state === 'captured') throw errors['hold.captured']()
  if (hold.state === 'held') await giveBack(tx, parts, wallet, hold, 'released')
}

async function giveBack(
  tx: Tx,
  parts: Parts,
  wallet: Wallet,
  hold: Pick<HoldRow, 'id' | 'amount'>,
  state: 'released' | 'expired',
): Promise<Wallet> {
  const released = canonical(hold.amount)
  const after = { ...wallet, ...move(wallet, { released }), held: subtract(wallet.held, released) }
  await post(tx, parts, wallet, after, { reason: 'release', sourceId: hold.id, others: [] })
  await sql`update wallet_holds set state = ${state}, closed_at = ${now(parts)} where id = ${hold.id}`.execute(tx)
  // What was told is told: the next posting of this transaction compares with it.
  return { ...after, told: levelOf(after) }
}

async function expireHolds(tx: Tx, parts: Parts, locked: Wallet): Promise<{ wallet: Wallet; count: number }> {
  const { rows } = await sql<HoldRow>`
    select * from wallet_holds
    where tenant_id = ${locked.tenantId} and state = 'held' and expires_at <= ${now(parts)}
    order by expires_at limit ${SWEEP_BATCH}`.execute(tx)
  let wallet = locked
  for (const hold of rows) wallet = await giveBack(tx, parts, wallet, hold, 'expired')
  return { wallet, count: rows.length }
}

/** A batch of each tenant that has any. @returns how many */
export async function sweepHolds(parts: Parts): Promise<number> {
  const tenants = await parts.database.run(parts.system, async (tx) => {
    const { rows } = await sql<{ tenant_id: string }>`
      select distinct tenant_id from wallet_holds where state = 'held' and expires_at <= ${now(parts)}`.execute(tx)
    return rows.map((row) => row.tenant_id)
  })
  let count = 0
  for (const tenantId of tenants) {
    count += await parts.database.run(
      parts.system,
      async (tx) => (await expireHolds(tx, parts, await lockWallet(tx, tenantId))).count,
    )
  }
  return count
}
