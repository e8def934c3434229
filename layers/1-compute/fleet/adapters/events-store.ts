import type { Transaction } from '@medley/store'
import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Coded } from '../domain/state.ts'
import type { ChipEvent, Viewer } from '../views.ts'
import type { FleetTables } from './tables.ts'
import { visibleTo } from './views-store.ts'

interface EventRow {
  id: string
  chip_id: string
  node_id: string
  at: Date
  kind: ChipEvent['kind']
  from_value: string | null
  to_value: string | null
  evidence: readonly Coded[]
  by_actor: string | null
}

/**
 * Newest first. What a state was before follows from the entry before it, whenever that one was written; entries that
 * changed nothing are left out. A chip that the viewer may not see goes by its uuid, which whoever has its event has
 * reported: one that another owner's node holds.
 */
export async function readEvents(
  tx: Transaction<FleetTables>,
  page: {
    readonly viewer: Viewer
    readonly chipId?: string
    readonly nodeId?: string
    readonly from?: Date
    readonly to?: Date
    readonly after: string | null
    readonly limit: number
  },
): Promise<readonly ChipEvent[]> {
  const conditions: RawBuilder<SqlBool>[] = [
    visibleTo(page.viewer),
    sql`(e.kind <> 'state' or before.to_value is distinct from e.to_value)`,
  ]
  if (page.chipId !== undefined)
    conditions.push(sql`e.chip_id in (select id from chips where id = ${page.chipId} or uuid = ${page.chipId})`)
  if (page.nodeId !== undefined) conditions.push(sql`e.node_id = ${page.nodeId}`)
  if (page.from) conditions.push(sql`e.at >= ${page.from}`)
  if (page.to) conditions.push(sql`e.at < ${page.to}`)
  if (page.after !== null)
    conditions.push(sql`(e.at, e.sequence) < (select at, sequence from chip_events where id = ${page.after})`)
  const { rows } = await sql<EventRow>`
    select e.id, ${shownChip(page.viewer)} as chip_id, e.node_id, e.at, e.kind, e.to_value, e.evidence, e.by_actor,
      case when e.kind in ('found', 'state') then before.to_value else e.from_value end as from_value
    from chip_events e
    join nodes n on n.id = e.node_id
    left join lateral (
      select b.to_value from chip_events b
      where b.chip_id = e.chip_id and b.kind in ('found', 'state') and (b.at, b.sequence) < (e.at, e.sequence)
      order by b.at desc, b.sequence desc limit 1
    ) before on true
    where ${sql.join(conditions, sql` and `)}
    order by e.at desc, e.sequence desc limit ${page.limit}`.execute(tx)
  return rows.map((row) => ({
    id: row.id,
    chipId: row.chip_id,
    nodeId: row.node_id,
    at: row.at,
    kind: row.kind,
    from: row.from_value,
    to: row.to_value,
    evidence: row.evidence,
    by: row.by_actor,
  }))
}

function shownChip(viewer: Viewer): RawBuilder<unknown> {
  if (viewer.all) return sql`e.chip_id`
  return sql`(
    select case when ${visibleTo(viewer)} then c.id else c.uuid end
    from chips c join nodes n on n.id = c.node_id where c.id = e.chip_id)`
}
