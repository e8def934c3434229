import type { Transaction } from '@medley/store'
import { type RawBuilder, type SqlBool, sql } from 'kysely'
import { type ChipState, type Coded, isUsable } from '../domain/state.ts'
import type { ChipFacts, NodeFacts } from '../protocol.ts'
import type {
  ChipView,
  CordonState,
  FleetCell,
  FleetFilter,
  FleetSummary,
  MaintenanceWindow,
  NodeState,
  NodeView,
  Taint,
  Viewer,
} from '../views.ts'
import type { FleetTables } from './tables.ts'

type Tx = Transaction<FleetTables>
type Condition = RawBuilder<SqlBool>

/** Nodes of the centre are everybody's to see; a tenant's own are nobody else's. Wants the nodes as `n`. */
export function visibleTo(viewer: Viewer): Condition {
  return viewer.all ? sql<SqlBool>`true` : sql<SqlBool>`(n.tenant_id is null or n.tenant_id = ${viewer.tenantId})`
}

const all = (conditions: readonly Condition[]): Condition => sql<SqlBool>`${sql.join(conditions, sql` and `)}`

/** `%` and `_` are letters like others to whoever searches. */
const contains = (text: string): string => `%${text.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`

const windowOf = (nodeId: RawBuilder<unknown>, now: Date): RawBuilder<unknown> => sql`
  select jsonb_build_object('id', w.id, 'nodeId', w.node_id, 'startsAt', w.starts_at, 'endsAt', w.ends_at,
    'reason', w.reason, 'createdBy', w.created_by)
  from maintenance_windows w
  where w.node_id = ${nodeId} and w.starts_at <= ${now} and w.ends_at > ${now} order by w.ends_at desc limit 1`

type WindowJson = Omit<MaintenanceWindow, 'startsAt' | 'endsAt'> & {
  readonly startsAt: string
  readonly endsAt: string
}

interface NodeRow {
  id: string
  tenant_id: string | null
  simulated: boolean
  facts: NodeFacts
  boot_id: string
  state: NodeState
  state_since: Date
  labels: Readonly<Record<string, string>>
  taints: readonly Taint[]
  rack: string | null
  spine: string | null
  cordon_state: CordonState | null
  cordon_since: Date | null
  cordon_by: string | null
  cordon_reason: string | null
  maintenance: WindowJson | null
  clock_skew_ms: number | null
  chip_states: Readonly<Partial<Record<ChipState, number>>> | null
  first_seen_at: Date
  last_seen_at: Date
}

export async function readNodes(
  tx: Tx,
  page: {
    readonly viewer: Viewer
    readonly now: Date
    readonly id?: string
    readonly after?: string | null
    readonly limit?: number
    readonly text?: string
  },
): Promise<readonly NodeView[]> {
  const conditions = [visibleTo(page.viewer)]
  if (page.id !== undefined) conditions.push(sql`n.id = ${page.id}`)
  if (page.after !== undefined && page.after !== null) conditions.push(sql`n.id > ${page.after}`)
  if (page.text !== undefined && page.text !== '') {
    const wanted = contains(page.text)
    conditions.push(sql`(lower(n.hostname) like ${wanted} or n.id like ${wanted} or lower(n.rack) like ${wanted})`)
  }
  const { rows } = await sql<NodeRow>`
    select n.*, (${windowOf(sql.ref('n.id'), page.now)}) as maintenance,
      (select jsonb_object_agg(s.state, s.chips)
       from (select c.state, count(*) as chips from chips c where c.node_id = n.id and c.retired_at is null group by c.state) s) as chip_states
    from nodes n where ${all(conditions)} order by n.id limit ${page.limit ?? 1}`.execute(tx)
  return rows.map(nodeView)
}

function nodeView(row: NodeRow): NodeView {
  const states = row.chip_states ?? {}
  return {
    id: row.id,
    tenantId: row.tenant_id,
    simulated: row.simulated,
    // Rows of an agent older than this member have none.
    facts: { ...row.facts, engines: row.facts.engines ?? [] },
    bootId: row.boot_id,
    state: row.state,
    stateSince: row.state_since,
    labels: row.labels,
    taints: row.taints,
    place: { rack: row.rack, spine: row.spine },
    cordon: cordonOf(row),
    maintenance: row.maintenance && {
      ...row.maintenance,
      startsAt: new Date(row.maintenance.startsAt),
      endsAt: new Date(row.maintenance.endsAt),
    },
    clockSkewMs: row.clock_skew_ms,
    chipCount: Object.values(states).reduce((sum, chips) => sum + chips, 0),
    chipStates: states,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
  }
}

function cordonOf(row: NodeRow): NodeView['cordon'] {
  if (row.cordon_state === null) return null
  return {
    state: row.cordon_state,
    since: row.cordon_since ?? row.first_seen_at,
    by: row.cordon_by ?? '',
    reason: row.cordon_reason ?? '',
  }
}

interface ChipRow {
  id: string
  node_id: string
  hostname: string
  simulated: boolean
  facts: ChipFacts
  state: ChipState
  state_since: Date
  evidence: readonly Coded[]
  quarantined_at: Date | null
  quarantine_reason: Coded | null
  quarantined_by: string | null
  retired_at: Date | null
  retired_reason: Coded | null
  retired_by: string | null
  node_state: NodeState
  cordon_state: CordonState | null
  in_maintenance: boolean
  rack: string | null
  spine: string | null
  first_seen_at: Date
  last_seen_at: Date
  node_seen_at: Date
}

export async function readChips(
  tx: Tx,
  page: {
    readonly viewer: Viewer
    readonly now: Date
    /** Id or uuid. */
    readonly id?: string
    readonly after?: string | null
    readonly limit?: number
    readonly filter?: FleetFilter
  },
): Promise<readonly ChipView[]> {
  const conditions = [visibleTo(page.viewer), ...filterConditions(page.filter ?? {})]
  if (page.id === undefined)
    conditions.push(page.filter?.retired ? sql`c.retired_at is not null` : sql`c.retired_at is null`)
  else
    conditions.push(sql`c.id = any(array(
      select id from chips where id = ${page.id} union select id from chips where uuid = ${page.id}))`)
  if (page.after !== undefined && page.after !== null) conditions.push(sql`c.id > ${page.after}`)
  const { rows } = await sql<ChipRow>`
    select c.id, c.node_id, n.hostname, c.simulated, c.facts, c.state, c.state_since, c.evidence, c.quarantined_at,
      c.quarantine_reason, c.quarantined_by, c.retired_at, c.retired_reason, c.retired_by, n.state as node_state, n.cordon_state, n.rack, n.spine, c.first_seen_at,
      c.last_seen_at, n.last_seen_at as node_seen_at,
      exists (
        select 1 from maintenance_windows w
        where w.node_id = n.id and w.starts_at <= ${page.now} and w.ends_at > ${page.now}) as in_maintenance
    from chips c join nodes n on n.id = c.node_id
    where ${all(conditions)} order by c.id ${page.limit === undefined ? sql`` : sql`limit ${page.limit}`}`.execute(tx)
  return rows.map(chipView)
}

function filterConditions(filter: FleetFilter): readonly Condition[] {
  const conditions: Condition[] = []
  if (filter.vendor !== undefined) conditions.push(sql`c.vendor = ${filter.vendor}`)
  if (filter.state !== undefined) conditions.push(sql`c.state = ${filter.state}`)
  if (filter.nodeId !== undefined) conditions.push(sql`c.node_id = ${filter.nodeId}`)
  if (filter.rack !== undefined) conditions.push(sql`n.rack = ${filter.rack}`)
  if (filter.simulated !== undefined) conditions.push(sql`c.simulated = ${filter.simulated}`)
  if (filter.text !== undefined && filter.text !== '') conditions.push(sql`c.search like ${contains(filter.text)}`)
  return conditions
}

function chipView(row: ChipRow): ChipView {
  return {
    id: row.id,
    nodeId: row.node_id,
    nodeName: row.hostname,
    simulated: row.simulated,
    facts: row.facts,
    state: row.state,
    stateSince: row.state_since,
    evidence: row.evidence,
    quarantine: saidOf(row.quarantined_at, row.quarantine_reason, row.quarantined_by),
    retired: saidOf(row.retired_at, row.retired_reason, row.retired_by),
    usable: isUsable({
      state: row.state,
      quarantined: row.quarantined_at !== null,
      nodeConnected: row.node_state === 'connected',
      nodeOpen: row.cordon_state === null || row.cordon_state === 'open',
      inMaintenance: row.in_maintenance,
    }),
    place: { rack: row.rack, spine: row.spine },
    firstSeenAt: row.first_seen_at,
    // Nothing is written while nothing changes: a chip that is there was seen when its node was.
    lastSeenAt: row.state === 'absent' || row.last_seen_at > row.node_seen_at ? row.last_seen_at : row.node_seen_at,
  }
}

function saidOf(since: Date | null, reason: Coded | null, by: string | null): ChipView['quarantine'] {
  return since === null || reason === null ? null : { since, reason, by: by ?? '' }
}

export async function readSummary(tx: Tx, viewer: Viewer): Promise<FleetSummary> {
  const nodes = await sql<{ nodes: number }>`
    select count(*)::int as nodes from nodes n where n.state <> 'revoked' and ${visibleTo(viewer)}`.execute(tx)
  const { rows } = await sql<{ vendor: string; simulated: boolean; state: ChipState; chips: number }>`
    select c.vendor, c.simulated, c.state, count(*)::int as chips
    from chips c join nodes n on n.id = c.node_id
    where ${visibleTo(viewer)} and c.retired_at is null group by 1, 2, 3 order by 1, 2, 3`.execute(tx)
  const groups = new Map<string, FleetSummary['byVendor'][number]>()
  for (const { vendor, simulated, state, chips } of rows) {
    const key = `${simulated} ${vendor}`
    groups.set(key, { vendor, simulated, states: { ...groups.get(key)?.states, [state]: chips } })
  }
  return {
    nodes: nodes.rows[0]?.nodes ?? 0,
    chips: rows.reduce((sum, { chips }) => sum + chips, 0),
    byVendor: [...groups.values()],
  }
}

/** Rows fetched at once: reading ten thousand in one piece would hold up everybody else's answers. */
const CELLS_AT_ONCE = 1_000

export async function readCells(tx: Tx, viewer: Viewer): Promise<readonly FleetCell[]> {
  await sql`
    declare fleet_cells no scroll cursor for
    select c.id as "chipId", c.uuid, c.node_id as "nodeId", n.hostname as "nodeName", n.tenant_id as "tenantId",
      (c.facts ->> 'index')::int as index, c.vendor, c.product, n.rack, c.state, c.evidence,
      c.quarantined_at is not null as quarantined, c.quarantine_reason as "quarantineReason",
      c.driver_version as "driverVersion", c.simulated
    from chips c join nodes n on n.id = c.node_id
    where ${visibleTo(viewer)} and c.retired_at is null order by n.rack nulls last, n.id, c.id`.execute(tx)
  const cells: FleetCell[] = []
  for (;;) {
    const { rows } = await sql<FleetCell>`fetch ${sql.lit(CELLS_AT_ONCE)} from fleet_cells`.execute(tx)
    cells.push(...rows)
    if (rows.length < CELLS_AT_ONCE) break
  }
  await sql`close fleet_cells`.execute(tx)
  return cells
}
