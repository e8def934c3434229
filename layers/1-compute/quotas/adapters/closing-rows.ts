import type { Transaction } from '@medley/store'
import { type RawBuilder, sql } from 'kysely'
import type { Delta, Held, Item, ReservationState } from '../domain/close.ts'
import type { QuotaResource } from '../domain/terms.ts'
import type { QuotaTables } from './tables.ts'

type Tx = Transaction<QuotaTables>

interface HeldRow {
  readonly id: string
  readonly tenant_id: string
  readonly state: ReservationState
  readonly late: boolean
  readonly wants: readonly { resource: QuotaResource; kind: string | null; amount: string }[]
  readonly used_amounts: readonly string[] | null
  readonly item_quotas: readonly string[]
  readonly item_starts: readonly string[]
  readonly item_resources: readonly string[]
  readonly item_kinds: readonly (string | null)[]
  readonly item_reserved: readonly string[]
  readonly item_used: readonly string[] | null
  readonly item_overrun: readonly string[] | null
}

/** Starts of windows stay text, as the database writes them: they are names here, not times. */
const COLUMNS = sql`id, tenant_id, state, late, wants, used_amounts, item_quotas, item_starts::text[] as item_starts,
  item_resources, item_kinds, item_reserved, item_used, item_overrun`

/** Locks and reads reservations, in order of their ids. */
export async function readHeld(tx: Tx, ids: readonly string[]): Promise<readonly Held[]> {
  const { rows } = await sql<HeldRow>`
    select ${COLUMNS} from quota_reservations where id = any(${ids}::text[]) order by id for update`.execute(tx)
  return rows.map(toHeld)
}

/** Locks and reads reservations past their time, leaving out those that somebody else is about to close. */
export async function readDue(
  tx: Tx,
  now: Date,
  most: number,
  tenantIds: readonly string[] | null,
): Promise<readonly Held[]> {
  const ofTenants: RawBuilder<unknown> = tenantIds === null ? sql`` : sql`and tenant_id = any(${tenantIds}::text[])`
  const { rows } = await sql<HeldRow>`
    select ${COLUMNS} from quota_reservations
    where state = 'reserved' and expires_at <= ${now} ${ofTenants}
    order by expires_at limit ${most} for update skip locked`.execute(tx)
  return rows.map(toHeld)
}

function toHeld(row: HeldRow): Held {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    state: row.state,
    late: row.late,
    wants: row.wants.map((want) => ({ ...want, amount: BigInt(want.amount) })),
    usedAmounts: row.used_amounts?.map(BigInt) ?? null,
    items: row.item_quotas.map((quotaId, at) => ({
      quotaId,
      windowStart: row.item_starts[at] ?? '',
      isLevel: row.item_starts[at] === '-infinity',
      resource: row.item_resources[at] ?? '',
      kind: row.item_kinds[at] ?? null,
      reserved: BigInt(row.item_reserved[at] ?? 0),
      used: BigInt(row.item_used?.[at] ?? 0),
      overrun: BigInt(row.item_overrun?.[at] ?? 0),
    })),
  }
}

/**
 * Locks the counters of the items, in the order everybody locks them, and tells what room each has by
 * `<quota> <start>`; a soft quota's is `null`. Counters that were cleared away are made anew.
 */
export async function countersRoom(tx: Tx, items: readonly Item[]): Promise<Map<string, bigint | null>> {
  const quotas = items.map((item) => item.quotaId)
  const starts = items.map((item) => item.windowStart)
  await sql`
    insert into quota_counters (tenant_id, quota_id, window_start, window_end)
    select distinct q.tenant_id, q.id, item.starts, case q.period when 'minute' then item.starts + interval '1 minute' end
    from unnest(${quotas}::text[], ${starts}::timestamptz[]) as item(quota, starts) join quotas q on q.id = item.quota
    order by q.id, item.starts
    on conflict do nothing`.execute(tx)
  await sql`
    select from quota_counters counter
    join (select distinct * from unnest(${quotas}::text[], ${starts}::timestamptz[])) as item(quota, starts)
      on counter.quota_id = item.quota and counter.window_start = item.starts
    order by counter.quota_id, counter.window_start
    for update of counter`.execute(tx)
  // A statement of its own: limits as they are now that the counters are ours.
  const { rows } = await sql<{ quota_id: string; starts: string; room: string | null }>`
    select distinct counter.quota_id, counter.window_start::text as starts,
      case q.mode when 'hard' then q.max_amount - counter.used - counter.reserved - counter.overrun end as room
    from unnest(${quotas}::text[], ${starts}::timestamptz[]) as item(quota, starts)
    join quota_counters counter on counter.quota_id = item.quota and counter.window_start = item.starts
    join quotas q on q.id = counter.quota_id`.execute(tx)
  return new Map(
    rows.map((row) => [`${row.quota_id} ${row.starts}`, row.room === null ? null : BigInt(row.room)] as const),
  )
}

/** Writes what closing does in one round trip: counters locked in the common order, each written once. */
export async function writeClosed(
  tx: Tx,
  sums: readonly { readonly item: Item; readonly delta: Delta }[],
  closed: readonly Held[],
  now: Date,
): Promise<void> {
  const column = (of: (sum: { item: Item; delta: Delta }) => string | bigint) => sums.map((sum) => String(of(sum)))
  const { rows } = await sql<{ counted: string; closed: string }>`
    with locked as materialized (
      select counter.quota_id, counter.window_start, delta.used, delta.reserved, delta.overrun
      from unnest(${column(({ item }) => item.quotaId)}::text[],
        ${column(({ item }) => item.windowStart)}::timestamptz[], ${column(({ delta }) => delta.used)}::bigint[],
        ${column(({ delta }) => delta.reserved)}::bigint[], ${column(({ delta }) => delta.overrun)}::bigint[])
        as delta(quota_id, window_start, used, reserved, overrun)
      join quota_counters counter using (quota_id, window_start)
      order by counter.quota_id, counter.window_start
      for update of counter
    ), counted as (
      update quota_counters counter set used = counter.used + locked.used,
        reserved = counter.reserved + locked.reserved, overrun = counter.overrun + locked.overrun
      from locked where counter.quota_id = locked.quota_id and counter.window_start = locked.window_start
      returning 1
    ), closed as (
      update quota_reservations r set state = c.state, late = c.late, used_amounts = c.used_amounts::bigint[],
        item_used = c.item_used::bigint[], item_overrun = c.item_overrun::bigint[], closed_at = ${now}
      from unnest(${closed.map((each) => each.id)}::text[], ${closed.map((each) => each.state)}::text[],
        ${closed.map((each) => each.late)}::boolean[], ${closed.map((each) => arrayText(each.usedAmounts))}::text[],
        ${closed.map((each) => itemsText(each, (item) => item.used))}::text[],
        ${closed.map((each) => itemsText(each, (item) => item.overrun))}::text[])
        as c(id, state, late, used_amounts, item_used, item_overrun)
      where r.id = c.id
      returning 1
    )
    select (select count(*) from counted) as counted, (select count(*) from closed) as closed`.execute(tx)
  // Both are locked by us: fewer would be a counter lost, and that must not be passed over.
  const done = rows[0]
  if (Number(done?.counted) !== sums.length || Number(done?.closed) !== closed.length) {
    throw new Error(
      `closed ${done?.closed} of ${closed.length} reservations, ${done?.counted} of ${sums.length} counters`,
    )
  }
}

function itemsText(held: Held, of: (item: Item) => bigint): string | null {
  return held.usedAmounts === null ? null : arrayText(held.items.map(of))
}

/** As PostgreSQL reads an array; arrays of unlike lengths cannot be passed as one array of arrays. */
function arrayText(amounts: readonly bigint[] | null): string | null {
  return amounts === null ? null : `{${amounts.join(',')}}`
}
