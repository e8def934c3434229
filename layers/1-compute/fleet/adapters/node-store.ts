import type { Transaction } from '@medley/store'
import { sql } from 'kysely'
import type { NodeEnrolment, NodeState } from '../views.ts'
import type { FleetTables } from './tables.ts'

type Tx = Transaction<FleetTables>

export interface NodeRow {
  readonly id: string
  readonly bootId: string
  readonly digest: string | null
  readonly hostname: string
  readonly tenantId: string | null
  readonly simulated: boolean
  readonly state: NodeState
}

/** What an agent's report is compared with: the node and the digest of each chip it has, in one query. */
export async function readStanding(
  tx: Tx,
  nodeId: string,
): Promise<{
  readonly node: NodeRow
  readonly chips: readonly { id: string; uuid: string; digest: string | null }[]
} | null> {
  const { rows } = await sql<{
    boot_id: string
    digest: string | null
    hostname: string
    tenant_id: string | null
    simulated: boolean
    state: NodeState
    chips: readonly { id: string; uuid: string; digest: string | null }[]
  }>`
    select n.boot_id, n.digest, n.hostname, n.tenant_id, n.simulated, n.state,
      coalesce(
        (select jsonb_agg(jsonb_build_object('id', c.id, 'uuid', c.uuid, 'digest', c.digest))
         from chips c where c.node_id = n.id and c.state <> 'absent'),
        '[]') as chips
    from nodes n where n.id = ${nodeId}`.execute(tx)
  const [row] = rows
  return row ? { node: nodeOf(nodeId, row), chips: row.chips } : null
}

/** Whoever writes a node's chips holds its row first. */
export async function lockNode(tx: Tx, nodeId: string): Promise<NodeRow | null> {
  const row = await tx
    .selectFrom('nodes')
    .select(['boot_id', 'digest', 'hostname', 'tenant_id', 'simulated', 'state'])
    .where('id', '=', nodeId)
    .forUpdate()
    .executeTakeFirst()
  return row ? nodeOf(nodeId, row) : null
}

function nodeOf(
  id: string,
  row: {
    boot_id: string
    digest: string | null
    hostname: string
    tenant_id: string | null
    simulated: boolean
    state: NodeState
  },
): NodeRow {
  const { boot_id: bootId, digest, hostname, tenant_id: tenantId, simulated, state } = row
  return { id, bootId, digest, hostname, tenantId, simulated, state }
}

/** @returns the node with this key, made where there was none */
export async function findOrMakeNode(
  tx: Tx,
  id: string,
  { nodeKey, hostname, tenantId, simulated, agentVersion }: NodeEnrolment,
  now: Date,
): Promise<{ id: string; tenantId: string | null; simulated: boolean; state: NodeState }> {
  // All that is known before the first report; an agent of which nothing is known yet runs nothing either.
  const facts = {
    hostname,
    operatingSystem: '',
    kernel: '',
    architecture: '',
    cpuCount: 0,
    memoryBytes: 0,
    agentVersion,
    nodeVersion: '',
    engines: [],
  }
  await tx
    .insertInto('nodes')
    .values({
      id,
      node_key: nodeKey,
      boot_id: '',
      facts: JSON.stringify(facts),
      tenant_id: tenantId,
      simulated,
      state: 'away',
      state_since: now,
      first_seen_at: now,
      last_seen_at: now,
    })
    .onConflict((conflict) => conflict.column('node_key').doNothing())
    .execute()
  const row = await tx
    .selectFrom('nodes')
    .select(['id', 'tenant_id', 'simulated', 'state'])
    .where('node_key', '=', nodeKey)
    .executeTakeFirstOrThrow()
  return { id: row.id, tenantId: row.tenant_id, simulated: row.simulated, state: row.state }
}

/** When each node was last heard, in one statement for all. */
export async function writeHeard(
  tx: Tx,
  heard: readonly { readonly nodeId: string; readonly atMs: number; readonly clockSkewMs: number | null }[],
): Promise<void> {
  await sql`
    update nodes n set last_seen_at = greatest(n.last_seen_at, h.at),
      clock_skew_ms = coalesce(h.skew, n.clock_skew_ms)
    from unnest(
      ${heard.map(({ nodeId }) => nodeId)}::text[],
      ${heard.map(({ atMs }) => new Date(atMs).toISOString())}::timestamptz[],
      ${heard.map(({ clockSkewMs }) => clockSkewMs)}::double precision[]
    ) as h (id, at, skew)
    where n.id = h.id`.execute(tx)
}

/** Nodes that were away and are heard again. Their chips follow with their reports. */
export async function markConnected(tx: Tx, nodeIds: readonly string[], now: Date): Promise<readonly string[]> {
  if (nodeIds.length === 0) return []
  const rows = await tx
    .updateTable('nodes')
    .set({ state: 'connected', state_since: now, last_seen_at: now })
    .where('id', 'in', nodeIds)
    .where('state', '=', 'away')
    .returning('id')
    .execute()
  return rows.map(({ id }) => id)
}
