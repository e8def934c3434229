import type { Id, Json } from '@medley/kernel'
import { appendEvent, type Transaction } from '@medley/store'
import { sql } from 'kysely'
import { countersRoom, readDue, readHeld, writeClosed } from './adapters/closing-rows.ts'
import type { QuotaTables } from './adapters/tables.ts'
import { type Closed, type Closing, close, type Delta, type Held, type Item, isLate } from './domain/close.ts'
import { errors } from './errors.ts'
import type { Settlement } from './ports.ts'
import { type Parts, SYSTEM } from './reserving.ts'

export interface Order {
  readonly reservationId: string
  readonly closing: Closing
}

export type CloseOutcome =
  | { readonly kind: 'done'; readonly settlement: Settlement }
  | { readonly kind: 'refused'; readonly error: unknown }

/** One transaction for all; reservations are locked before counters, each in order of their ids. */
export function closeBatch(parts: Parts, orders: readonly Order[]): Promise<readonly CloseOutcome[]> {
  return parts.database.run(SYSTEM, async (tx) => {
    const rows = await readHeld(
      tx,
      orders.map((order) => order.reservationId),
    )
    const held = new Map(rows.map((row) => [row.id, row]))
    const found = orders.flatMap(({ reservationId, closing }) => {
      const row = held.get(reservationId)
      return row === undefined ? [] : [{ held: row, closing }]
    })
    const closed = await apply(tx, parts, found)
    return orders.map(({ reservationId }) => {
      const row = held.get(reservationId)
      const result = closed.get(reservationId)
      if (row === undefined || result === undefined) {
        return { kind: 'refused', error: errors['reservation.unknown']() }
      }
      return toOutcome(row, result)
    })
  })
}

/**
 * Ends what is past its time, of some tenants or of all. Several processes may do so at once: each takes others.
 *
 * @returns how many
 */
export function expireBatch(parts: Parts, most: number, tenantIds: readonly string[] | null): Promise<number> {
  return parts.database.run(SYSTEM, async (tx) => {
    const due = await readDue(tx, new Date(parts.clock.now()), most, tenantIds)
    await apply(
      tx,
      parts,
      due.map((held) => ({ held, closing: { kind: 'expire' } as const })),
    )
    return due.length
  })
}

interface Task {
  readonly held: Held
  readonly closing: Closing
}

async function apply(
  tx: Transaction<QuotaTables>,
  parts: Parts,
  tasks: readonly Task[],
): Promise<ReadonlyMap<string, Closed>> {
  const late = tasks.filter(({ held, closing }) => isLate(held, closing))
  // The room of the late ones must not change until all is written: then all counters are locked here, in order.
  const items = late.length > 0 ? tasks.flatMap(({ held }) => held.items) : []
  const rooms = items.length > 0 ? await countersRoom(tx, items) : new Map<string, bigint | null>()
  const roomOf = (item: Item) => {
    const room = rooms.get(keyOfCounter(item))
    if (room === undefined) throw new Error(`no counter of ${item.quotaId} from ${item.windowStart}`)
    return room
  }
  const sums = new Map<string, { item: Item; delta: Delta }>()
  const closed = new Map<string, Closed>()
  for (const { held, closing } of tasks) {
    const result = close(held, closing, roomOf)
    closed.set(held.id, result)
    if (result.verdict !== 'done') continue
    for (const [at, delta] of result.deltas.entries()) {
      const item = held.items[at]
      if (item === undefined || isZero(delta)) continue
      const key = keyOfCounter(item)
      const room = rooms.get(key)
      if (room !== undefined && room !== null) rooms.set(key, room - delta.used - delta.reserved - delta.overrun)
      sums.set(key, { item, delta: add(sums.get(key)?.delta, delta) })
    }
  }
  const changed = [...closed.values()].flatMap((each) => (each.verdict === 'done' && each.to ? [each.to] : []))
  if (changed.length > 0) await writeClosed(tx, [...sums.values()], changed, new Date(parts.clock.now()))
  for (const held of changed) await tellOverrun(tx, parts, held)
  return closed
}

function keyOfCounter({ quotaId, windowStart }: Pick<Item, 'quotaId' | 'windowStart'>): string {
  return `${quotaId} ${windowStart}`
}

function isZero({ used, reserved, overrun }: Delta): boolean {
  return used === 0n && reserved === 0n && overrun === 0n
}

function add(left: Delta | undefined, right: Delta): Delta {
  if (left === undefined) return right
  return {
    used: left.used + right.used,
    reserved: left.reserved + right.reserved,
    overrun: left.overrun + right.overrun,
  }
}

function toOutcome(held: Held, result: Closed): CloseOutcome {
  if (result.verdict === 'done') {
    const { late, items } = result.to ?? held
    const overruns = items
      .filter((item) => item.overrun > 0n)
      .map(({ quotaId, overrun }) => ({ quotaId, amount: overrun }))
    return { kind: 'done', settlement: { outcome: late ? 'late' : 'settled', overruns } }
  }
  if (result.verdict === 'exceeds') {
    const { resource, reserved, used } = result
    const params = { resource, reserved: reserved.toString(), used: used.toString() }
    return { kind: 'refused', error: errors['settle.exceeds'](params) }
  }
  const code = {
    differs: 'settle.differs',
    settled: 'reservation.settled',
    unsettled: 'reservation.unsettled',
  } as const
  return { kind: 'refused', error: errors[code[result.verdict]]() }
}

async function tellOverrun(tx: Transaction<QuotaTables>, parts: Parts, held: Held): Promise<void> {
  const overruns = held.items.filter((item) => item.overrun > 0n)
  if (held.state !== 'settled' || overruns.length === 0) return
  const payload: Json = {
    reservationId: held.id,
    overruns: overruns.map(({ quotaId, overrun }) => ({ quotaId, amount: overrun.toString() })),
  }
  await appendEvent(tx, parts, {
    type: 'quotas.overrun.recorded',
    version: 1,
    tenantId: held.tenantId as Id<'tenant'>,
    actor: SYSTEM.actor,
    subject: held.id,
    causationId: null,
    correlationId: null,
    occurredAt: new Date(parts.clock.now()),
    payload,
  })
}

/** Minutes are of no use to anybody once they are over; days and months are kept, as people look back at them. */
const KEEP_MINUTES_MS = 2 * 86_400_000
/** How long a repeated request or settlement is recognised. */
const KEEP_RESERVATIONS_MS = 40 * 86_400_000

/** @returns how many rows are gone, at most `most` of each kind */
export function forget({ database, clock }: Parts, most: number): Promise<number> {
  const nowMs = clock.now()
  return database.run(SYSTEM, async (tx) => {
    // Locked by nobody else: whoever reserves in such a minute would have to have a clock of days ago.
    const minutes = await sql`
      delete from quota_counters where (quota_id, window_start) in (
        select quota_id, window_start from quota_counters
        where window_end - window_start = interval '1 minute' and window_end < ${new Date(nowMs - KEEP_MINUTES_MS)}
          and reserved = 0
        order by quota_id, window_start limit ${most} for update skip locked)`.execute(tx)
    const reservations = await sql`
      delete from quota_reservations where id in (
        select id from quota_reservations
        where closed_at < ${new Date(nowMs - KEEP_RESERVATIONS_MS)}
          -- Still held until it is given back.
          and not (state = 'settled' and '-infinity' = any(item_starts))
        limit ${most} for update skip locked)`.execute(tx)
    return Number(minutes.numAffectedRows ?? 0n) + Number(reservations.numAffectedRows ?? 0n)
  })
}
