import type { Transaction } from '@medley/store'
import { type Selectable, sql } from 'kysely'
import { post } from './adapters/post.ts'
import { judge, type Parcel, ROBOTS } from './adapters/robots.ts'
import { toAlert } from './adapters/rows.ts'
import type { AlertChannelsTable, AlertDeliveriesTable, AlertingTables } from './adapters/tables.ts'
import { type Context, SCOPE } from './context.ts'
import { compose, latestPerAlert } from './domain/message.ts'
import type { SendOutcome } from './ports.ts'

type Tx = Transaction<AlertingTables>

/** One message that is under way. */
interface Claim {
  readonly channel: Selectable<AlertChannelsTable>
  readonly parcel: Parcel
  readonly deliveryIds: readonly string[]
}

/** After a kill a message is tried again when this is over: longer than any try can take, milliseconds. */
const LEASE_MS = 60_000
const FIRST_WAIT_MS = 10_000
const LONGEST_WAIT_MS = 300_000
/** What could not be told within a day is no news any more, milliseconds. */
const GIVE_UP_MS = 24 * 3_600_000
/** Alerts of one message to a program; people get a few lines and a number instead. */
const MOST_FOR_PROGRAMS = 200
const MOST_FOR_PEOPLE = 5_000

/**
 * Sends one message to each channel that has something due and may be sent to. What waits for a channel is told in
 * order and together; a channel that fails is left alone for longer and longer, and holds up no other.
 *
 * @returns messages tried.
 */
export async function deliver(context: Context): Promise<number> {
  const claims: Claim[] = []
  for (let claim = await claimNext(context); claim !== null; claim = await claimNext(context)) claims.push(claim)
  await Promise.all(claims.map((claim) => send(context, claim)))
  return claims.length
}

async function send(context: Context, claim: Claim): Promise<void> {
  const { channel, parcel } = claim
  const outcome = await attempt(context, claim)
  if (!outcome.ok) {
    const fields = { channelId: channel.id, alerts: parcel.alerts.length, error: outcome.error }
    context.log('an alert message was not taken', fields)
  }
  await context.database.run(SCOPE, (tx) => settle(tx, context, claim, outcome))
}

async function attempt({ sealer, clock }: Context, { channel, parcel }: Claim): Promise<SendOutcome> {
  try {
    const target = sealer.open(channel.id, channel.sealed)
    return judge(channel.kind, target, await post(ROBOTS[channel.kind].post(target, parcel, clock.now())))
  } catch {
    // The instance's secret is another one than the address was sealed with.
    return { ok: false, error: 'the address cannot be read' }
  }
}

/** Takes a channel for one try: nobody else sends to it until the try is settled or its lease is over. */
function claimNext({ database, clock, wording }: Context): Promise<Claim | null> {
  return database.run(SCOPE, async (tx) => {
    const now = new Date(clock.now())
    const channel = await tx
      .selectFrom('alert_channels')
      .selectAll()
      .where('next_try_at', '<=', now)
      .where(({ exists, selectFrom }) =>
        exists(
          selectFrom('alert_deliveries')
            .select('alert_deliveries.id')
            .whereRef('channel_id', '=', 'alert_channels.id')
            .where('state', '=', 'waiting')
            .where('due_at', '<=', now),
        ),
      )
      .orderBy('next_try_at')
      .limit(1)
      .forUpdate()
      .skipLocked()
      .executeTakeFirst()
    if (!channel) return null
    const most = channel.kind === 'webhook' ? MOST_FOR_PROGRAMS : MOST_FOR_PEOPLE
    const waiting = await waitingFor(tx, channel.id, most)
    const deliveryIds = waiting.map(({ id }) => id)
    await tx
      .updateTable('alert_deliveries')
      .set({ attempts: sql<number>`attempts + 1`, at: now })
      .where(sql<boolean>`id = any(${deliveryIds}::text[])`)
      .execute()
    const lease = { next_try_at: new Date(now.getTime() + LEASE_MS) }
    await tx.updateTable('alert_channels').set(lease).where('id', '=', channel.id).execute()
    return { channel, deliveryIds, parcel: await pack(tx, wording, channel, waiting) }
  })
}

/** Also what is not due yet: it goes along. */
function waitingFor(tx: Tx, channelId: string, most: number): Promise<Selectable<AlertDeliveriesTable>[]> {
  return tx
    .selectFrom('alert_deliveries')
    .selectAll()
    .where('channel_id', '=', channelId)
    .where('state', '=', 'waiting')
    .orderBy('id')
    .limit(most)
    .execute()
}

async function pack(
  tx: Tx,
  wording: Context['wording'],
  channel: Selectable<AlertChannelsTable>,
  waiting: readonly Selectable<AlertDeliveriesTable>[],
): Promise<Parcel> {
  const alertIds = [...new Set(waiting.map(({ alert_id }) => alert_id))]
  const rows = await tx.selectFrom('alerts').selectAll().where(sql<boolean>`id = any(${alertIds}::text[])`).execute()
  const byId = new Map(rows.map((row) => [row.id, row]))
  const notices = waiting.flatMap(({ alert_id, event }) => {
    const row = byId.get(alert_id)
    if (!row) return []
    const { deliveries: _, ...alert } = toAlert(row, [])
    return [{ ...alert, alertId: alert.id, event }]
  })
  const alerts = latestPerAlert(notices).map(({ alertId: _, ...alert }) => alert)
  return { id: waiting[0]?.id ?? channel.id, message: compose(notices, channel.locale, wording), alerts }
}

async function settle(tx: Tx, context: Context, claim: Claim, outcome: SendOutcome): Promise<void> {
  const nowMs = context.clock.now()
  const now = new Date(nowMs)
  const failures = outcome.ok ? 0 : claim.channel.failures + 1
  const waitMs = outcome.ok ? context.messageIntervalMs : backoffMs(failures, context.messageIntervalMs)
  await tx
    .updateTable('alert_channels')
    .set({ failures, next_try_at: new Date(nowMs + waitMs) })
    .where('id', '=', claim.channel.id)
    .execute()
  const ours = tx
    .updateTable('alert_deliveries')
    .where(sql<boolean>`id = any(${[...claim.deliveryIds]}::text[])`)
    .where('state', '=', 'waiting')
  if (outcome.ok) {
    await ours.set({ state: 'delivered', last_error: null, at: now }).execute()
    return
  }
  await ours.set({ last_error: outcome.error, at: now }).execute()
  await ours
    .where('created_at', '<=', new Date(nowMs - GIVE_UP_MS))
    .set({ state: 'failed' })
    .execute()
}

function backoffMs(failures: number, intervalMs: number): number {
  return Math.max(intervalMs, Math.min(FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 16), LONGEST_WAIT_MS))
}
