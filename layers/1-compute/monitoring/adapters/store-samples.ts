import type { Clock } from '@medley/kernel'
import { sql } from 'kysely'
import type { SampleGap } from '../protocol.ts'
import type { KnownLayout, Layouts } from './catalogue.ts'
import { markTime } from './mark-time.ts'
import type { NodeState, Nodes } from './nodes.ts'
import { type Database, type Partitions, partitionStart, SCOPE, type Tx } from './partitions.ts'
import { DAY_MS, HOUR_MS } from './tables.ts'

/** Samples of one node that wait for the next commit. */
export interface Arrival {
  readonly node: NodeState
  readonly layout: KnownLayout
  readonly timesMs: readonly number[]
  readonly payloads: readonly Uint8Array[]
  readonly gaps: readonly SampleGap[]
}

export interface StorePorts {
  readonly database: Database
  readonly clock: Clock
  readonly nodes: Nodes
  readonly layouts: Layouts
  readonly partitions: Partitions
}

/** No clock is corrected so badly: what claims to be from the future would hide what comes after it. */
export const MOST_AHEAD_MS = 5 * 60_000
export const RAW_KEPT_MS = DAY_MS

interface Row {
  readonly atMs: number
  readonly node: NodeState
  readonly layout: KnownLayout
  readonly payload: Uint8Array
}

/** Stores samples and marks their gaps, all or nothing. What is in memory changes after the commit. */
export async function storeArrivals(ports: StorePorts, arrivals: readonly Arrival[]): Promise<void> {
  const nowMs = ports.clock.now()
  // The clock decides what can still be kept, together with what was dropped already (also by a clock ahead of ours).
  const oldestMs = partitionStart('metric_raw', nowMs - RAW_KEPT_MS)
  const timesMs = arrivals.flatMap((arrival) => arrival.timesMs)
  await ports.partitions.ensure(
    'metric_raw',
    timesMs.filter((atMs) => atMs >= oldestMs && atMs <= nowMs + MOST_AHEAD_MS),
  )
  const apply = await ports.database.run(SCOPE, async (tx) => {
    const floor = await sql<{ raw: number }>`select raw_ms::float8 as raw from metric_floor for share`.execute(tx)
    const floorMs = Math.max(floor.rows[0]?.raw ?? 0, oldestMs)
    const numbers = await numberNodes(tx, arrivals)
    const layoutIds = await numberLayouts(tx, arrivals)
    const kept: Row[] = []
    for (const { node, layout, timesMs, payloads } of arrivals) {
      timesMs.forEach((atMs, index) => {
        const payload = payloads[index]
        if (payload && atMs >= floorMs && atMs <= nowMs + MOST_AHEAD_MS) kept.push({ atMs, node, layout, payload })
      })
    }
    const numberOf = (node: NodeState) => node.number ?? numbers.get(node.nodeId) ?? 0
    const idOf = (layout: KnownLayout) => layout.id ?? layoutIds.get(layout.digest) ?? 0
    await insertRows(tx, kept, numberOf, idOf)
    const changes = await markTime(tx, arrivals, { floorMs, aheadMs: nowMs + MOST_AHEAD_MS, numberOf })
    return () => {
      for (const { node, layout } of arrivals) {
        if (node.number === null) ports.nodes.numbered(node, numberOf(node))
        if (layout.id === null) {
          layout.id = idOf(layout)
          ports.layouts.remember(layout.id, layout)
        }
      }
      changes()
    }
  })
  apply()
}

async function numberNodes(tx: Tx, arrivals: readonly Arrival[]): Promise<Map<string, number>> {
  const fresh = [...new Set(arrivals.filter(({ node }) => node.number === null).map(({ node }) => node.nodeId))]
  if (fresh.length === 0) return new Map()
  await sql`
    insert into metric_nodes (node_id, interval_ms) select unnest(${fresh}::text[]), 15000
    on conflict (node_id) do nothing`.execute(tx)
  const found = await sql<{ nodeId: string; number: number }>`
    select node_id as "nodeId", number from metric_nodes where node_id = any(${fresh}::text[])`.execute(tx)
  return new Map(found.rows.map(({ nodeId, number }) => [nodeId, number]))
}

async function numberLayouts(tx: Tx, arrivals: readonly Arrival[]): Promise<Map<string, number>> {
  const fresh = new Map(
    arrivals.filter(({ layout }) => layout.id === null).map(({ layout }) => [layout.digest, layout]),
  )
  return await storeLayouts(tx, [...fresh.values()])
}

/** @returns the number of each by its digest */
export async function storeLayouts(
  tx: Tx,
  layouts: readonly Pick<KnownLayout, 'digest' | 'chips' | 'metrics'>[],
): Promise<Map<string, number>> {
  if (layouts.length === 0) return new Map()
  const digests = layouts.map(({ digest }) => digest)
  await sql`
    insert into metric_layouts (digest, chips, metrics)
    select * from unnest(${digests}::text[], ${layouts.map(({ chips }) => JSON.stringify(chips))}::jsonb[],
      ${layouts.map(({ metrics }) => JSON.stringify(metrics))}::jsonb[])
    on conflict (digest) do nothing`.execute(tx)
  const found = await sql<{ digest: string; id: number }>`
    select digest, id from metric_layouts where digest = any(${digests}::text[])`.execute(tx)
  return new Map(found.rows.map(({ digest, id }) => [digest, id]))
}

async function insertRows(
  tx: Tx,
  rows: readonly Row[],
  numberOf: (node: NodeState) => number,
  idOf: (layout: KnownLayout) => number,
): Promise<void> {
  if (rows.length === 0) return
  // Work is marked for what is new only. The clause that never holds takes the row's lock all the same: whoever makes
  // this hour right now waits for these samples, or these samples wait and mark it again.
  await sql`
    with fresh as (
      insert into metric_raw (at_ms, node, layout, payload)
      select * from unnest(${rows.map(({ atMs }) => atMs)}::bigint[], ${rows.map(({ node }) => numberOf(node))}::int[],
        ${rows.map(({ layout }) => idOf(layout))}::int[], ${rows.map(({ payload }) => payload)}::bytea[])
      on conflict do nothing returning node, at_ms
    )
    insert into metric_work (level, from_ms, node)
    select distinct 0, at_ms / ${HOUR_MS}::bigint * ${HOUR_MS}::bigint, node from fresh order by 2, 3
    on conflict (level, from_ms, node) do update set node = excluded.node where false`.execute(tx)
}
