import type { Scope } from '@medley/kernel'
import type { Transaction } from '@medley/store'
import { type Selectable, sql } from 'kysely'
import { toAlert, toDelivery } from './adapters/rows.ts'
import type { AlertingTables, AlertsTable } from './adapters/tables.ts'
import { type Context, SCOPE } from './context.ts'
import { decodeCursor, encodeCursor } from './domain/cursor.ts'
import { errors } from './errors.ts'
import type { Alert, Alerting, Delivery, Viewer } from './ports.ts'

type Tx = Transaction<AlertingTables>

export function createAlerts({
  database,
  clock,
  mostResolved,
}: Context): Pick<Alerting, 'alerts' | 'alert' | 'acknowledge' | 'retain'> {
  return {
    alerts: (page) =>
      database.run(SCOPE, async (tx) => {
        const limit = Math.min(Math.max(Math.trunc(page.limit ?? 100), 1), 500)
        const after = page.cursor ? decodeCursor(page.cursor) : null
        if (page.cursor && !after) throw errors['cursor.invalid']()
        let select = visible(tx, page.viewer)
        if (page.state) select = select.where('state', '=', page.state)
        if (after) {
          const place = sql`(${new Date(after.startedAtMs)}::timestamptz, ${after.id})`
          select = select.where(sql<boolean>`(started_at, id) < ${place}`)
        }
        // One more than asked for tells whether there is a further page.
        const ordered = select.orderBy('started_at', 'desc').orderBy('id', 'desc')
        const rows = await ordered.limit(limit + 1).execute()
        const items = await withDeliveries(tx, rows.slice(0, limit))
        const last = rows.length > limit ? items.at(-1) : undefined
        const nextCursor = last ? encodeCursor({ startedAtMs: last.startedAt.getTime(), id: last.id }) : null
        return { items, nextCursor }
      }),
    alert: (id, viewer) => database.run(SCOPE, (tx) => oneAlert(tx, id, viewer)),
    acknowledge: (scope: Scope, id, note, viewer) =>
      database.run(SCOPE, async (tx) => {
        await oneAlert(tx, id, viewer)
        const how = { acknowledged_by: scope.actor.id, acknowledged_note: note.slice(0, 2_000) }
        const change = { ...how, acknowledged_at: new Date(clock.now()) }
        await tx.updateTable('alerts').set(change).where('id', '=', id).execute()
        return oneAlert(tx, id, viewer)
      }),
    async retain(before) {
      let dropped = 0
      for (let some = 1; some > 0; dropped += some) {
        some = await database.run(SCOPE, (tx) => dropSome(tx, before, mostResolved))
      }
      return dropped
    },
  }
}

/** Alerts of one statement: their deliveries go with them. */
const DROPPED_AT_ONCE = 2_000

/** Too old, or more than are kept; not what somebody is still to be told of, which is over within a day. */
async function dropSome(tx: Tx, before: Date, mostResolved: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from alerts where id in (
      select id from (
        (select id from alerts where state = 'resolved' and resolved_at < ${before})
        union
        (select id from alerts where state = 'resolved' order by resolved_at desc, id desc offset ${mostResolved})
      ) as old
      where not exists (select 1 from alert_deliveries d where d.alert_id = old.id and d.state = 'waiting')
      limit ${DROPPED_AT_ONCE}
    )`.execute(tx)
  return Number(numAffectedRows ?? 0)
}

function visible(tx: Tx, viewer: Viewer) {
  return tx
    .selectFrom('alerts')
    .selectAll()
    .$if(!viewer.all, (query) =>
      query.where(({ or, eb }) =>
        or([eb('tenant_id', 'is', null), eb('tenant_id', '=', viewer.all ? '' : viewer.tenantId)]),
      ),
    )
}

async function oneAlert(tx: Tx, id: string, viewer: Viewer): Promise<Alert> {
  const row = await visible(tx, viewer).where('id', '=', id).executeTakeFirst()
  const [alert] = await withDeliveries(tx, row ? [row] : [])
  if (!alert) throw errors['alert.unknown']({ id })
  return alert
}

async function withDeliveries(tx: Tx, rows: readonly Selectable<AlertsTable>[]): Promise<readonly Alert[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id)
  const found = await tx
    .selectFrom('alert_deliveries')
    .selectAll()
    .where(sql<boolean>`alert_id = any(${ids}::text[])`)
    .orderBy('id')
    .execute()
  const byAlert = new Map<string, Delivery[]>()
  for (const row of found) byAlert.set(row.alert_id, [...(byAlert.get(row.alert_id) ?? []), toDelivery(row)])
  return rows.map((row) => toAlert(row, byAlert.get(row.id) ?? []))
}
