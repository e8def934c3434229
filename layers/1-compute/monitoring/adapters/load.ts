import { sql } from 'kysely'
import { DamagedReadings } from '../domain/bytes.ts'
import { decodeSample, type SampleShape } from '../domain/sample-code.ts'
import { CATALOGUE_QUANTA, type Layouts } from './catalogue.ts'
import type { Latest } from './latest.ts'
import type { Nodes } from './nodes.ts'
import { type Database, SCOPE, type Tx } from './partitions.ts'

interface Memory {
  readonly nodes: Nodes
  readonly layouts: Layouts
  readonly latest: Latest
}

/** Brings back after a restart what ingest keeps in memory: where each node's time ends, and its newest readings. */
export async function loadMemory(database: Database, memory: Memory): Promise<void> {
  await database.run(SCOPE, async (tx) => {
    await loadNodes(tx, memory.nodes)
    await loadNewest(tx, memory)
  })
}

async function loadNodes(tx: Tx, nodes: Nodes): Promise<void> {
  const { rows } = await sql<{
    nodeId: string
    number: number
    firstMs: number | null
    newestMs: number | null
    intervalMs: number
    skewMs: number
    reportedToMs: number | null
  }>`
    select node_id as "nodeId", number, first_ms::float8 as "firstMs", newest_ms::float8 as "newestMs",
      interval_ms as "intervalMs", skew_ms::float8 as "skewMs",
      (select max(to_ms)::float8 from metric_gap_reports r where r.node = number) as "reportedToMs"
    from metric_nodes`.execute(tx)
  for (const row of rows) {
    const node = nodes.of(row.nodeId)
    nodes.numbered(node, row.number)
    node.firstMs = row.firstMs
    // A beginning without a kept sample: it came too late to be stored.
    node.newestMs = row.newestMs ?? row.firstMs
    node.intervalMs = row.intervalMs
    node.storedIntervalMs = row.intervalMs
    node.skewMs = row.skewMs
    node.storedSkewMs = row.skewMs
    node.reportedToMs = row.reportedToMs ?? Number.NEGATIVE_INFINITY
  }
}

async function loadNewest(tx: Tx, { nodes, layouts, latest }: Memory): Promise<void> {
  const { rows } = await sql<{ node: number; atMs: number; layout: number; payload: Buffer }>`
    select n.number as node, r.at_ms::float8 as "atMs", r.layout, r.payload from metric_nodes n cross join lateral (
      select at_ms, layout, payload from metric_raw where node = n.number order by at_ms desc limit 1) r`.execute(tx)
  await loadLayouts(
    tx,
    layouts,
    rows.map(({ layout }) => layout),
  )
  for (const row of rows) {
    const node = nodes.byNumber(row.node)
    const layout = layouts.byId(row.layout)
    if (!node || !layout) continue
    node.newestMs = Math.max(node.newestMs ?? row.atMs, row.atMs)
    const chips = layout.chips.length
    const codes = newestCodes(row.payload, { chips, metrics: layout.metrics.length })
    if (!codes) continue
    layout.chips.forEach((uuid, chip) => {
      latest.take(uuid, node.nodeId, row.atMs, (metric) => {
        const column = layout.metrics.indexOf(metric)
        const code = column < 0 ? Number.NaN : (codes[column * chips + chip] ?? Number.NaN)
        return CATALOGUE_QUANTA[metric]?.fromCode(code) ?? null
      })
    })
  }
}

/** A damaged row is no reason not to start; whoever reads the history is told of it. */
function newestCodes(payload: Uint8Array, shape: SampleShape): Float64Array | null {
  try {
    return decodeSample(payload, shape)
  } catch (error) {
    if (error instanceof DamagedReadings) return null
    throw error
  }
}

/** Makes sure that these are in memory. */
export async function loadLayouts(tx: Tx, layouts: Layouts, ids: readonly number[]): Promise<void> {
  const missing = [...new Set(ids)].filter((id) => !layouts.byId(id))
  if (missing.length === 0) return
  const { rows } = await sql<{ id: number; chips: string[]; metrics: number[] }>`
    select id, chips, metrics from metric_layouts where id = any(${missing}::int[])`.execute(tx)
  for (const { id, chips, metrics } of rows) layouts.remember(id, { chips, metrics })
}
