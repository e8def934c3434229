import type { Clock } from '@medley/kernel'
import { sql } from 'kysely'
import { type Hole, toleranceOf, withLostSamples, withSamples } from '../domain/gaps.ts'
import type { SampleGap } from '../protocol.ts'
import type { KnownLayout, Layouts } from './catalogue.ts'
import { type NodeState, type Nodes, timelineOf } from './nodes.ts'
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

export interface Writer {
  /** Resolves after the commit; rejects with what the store said, and then nothing of it is stored. */
  write(arrival: Arrival): Promise<void>
  /** Commits what waits and takes no more. */
  close(): Promise<void>
}

export interface WriterPorts {
  readonly database: Database
  readonly clock: Clock
  readonly nodes: Nodes
  readonly layouts: Layouts
  readonly partitions: Partitions
  /** How long the first of a group waits for others. */
  readonly gatherMs: number
}

/** So many samples are committed without waiting for more. */
const MOST_ROWS = 2_000
/** No clock is corrected so badly: what claims to be from the future would hide what comes after it. */
const MOST_AHEAD_MS = 5 * 60_000
export const RAW_KEPT_MS = DAY_MS

interface Waiting {
  readonly arrival: Arrival
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** One statement and one commit for all nodes that hand in within a moment: at 83 samples a second, two a second. */
export function createWriter(ports: WriterPorts): Writer {
  let waiting: Waiting[] = []
  let rows = 0
  let timer: NodeJS.Timeout | null = null
  let running: Promise<void> | null = null
  let closed = false

  async function commit(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      rows = 0
      try {
        await store(
          ports,
          group.map(({ arrival }) => arrival),
        )
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
      // Those who came meanwhile have waited as long as a commit takes.
      if (!closed && rows < MOST_ROWS) break
    }
  }

  function start(): void {
    if (timer) clearTimeout(timer)
    timer = null
    if (running) return
    running = commit().finally(() => {
      running = null
      if (waiting.length > 0) arm()
    })
  }

  function arm(): void {
    if (rows >= MOST_ROWS) start()
    else timer ??= setTimeout(start, ports.gatherMs)
  }

  return {
    write(arrival) {
      if (closed) return Promise.reject(new Error('the readings are being closed'))
      return new Promise((resolve, reject) => {
        waiting.push({ arrival, resolve, reject })
        rows += arrival.timesMs.length
        arm()
      })
    },
    async close() {
      closed = true
      start()
      while (running) await running
    },
  }
}

interface Row {
  readonly atMs: number
  readonly node: NodeState
  readonly layout: KnownLayout
  readonly payload: Uint8Array
}

async function store(ports: WriterPorts, arrivals: readonly Arrival[]): Promise<void> {
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

interface Window {
  readonly floorMs: number
  readonly aheadMs: number
  readonly numberOf: (node: NodeState) => number
}

/**
 * Marks the times without samples, in the transaction that stores the samples: history never has one without the
 * other. @returns what to change in memory after the commit
 */
async function markTime(tx: Tx, arrivals: readonly Arrival[], window: Window): Promise<() => void> {
  const byNode = new Map<NodeState, Arrival[]>()
  for (const arrival of arrivals) byNode.set(arrival.node, [...(byNode.get(arrival.node) ?? []), arrival])
  const known = await knownHoles(tx, [...byNode], window)
  const added: (Hole & { number: number })[] = []
  const removed: (Hole & { number: number })[] = []
  const begun: { number: number; firstMs: number }[] = []
  const later: (() => void)[] = []
  for (const [node, own] of byNode) {
    const number = window.numberOf(node)
    const times = own.flatMap(({ timesMs }) => timesMs).filter((atMs) => atMs <= window.aheadMs)
    const before = { ...timelineOf(node), holes: known.get(number) ?? [] }
    const tolerance = toleranceOf(node.intervalMs)
    const lost = times.filter((atMs) => atMs < window.floorMs)
    const kept = times.filter((atMs) => atMs >= window.floorMs)
    const after = withSamples(withLostSamples(before, lost, tolerance), kept, tolerance)
    const isIn = (holes: readonly Hole[], { fromMs, toMs }: Hole) =>
      holes.some((hole) => hole.fromMs === fromMs && hole.toMs === toMs)
    for (const hole of after.holes) if (!isIn(before.holes, hole)) added.push({ ...hole, number })
    for (const hole of before.holes) if (!isIn(after.holes, hole)) removed.push({ ...hole, number })
    if (after.firstMs !== null && after.firstMs !== before.firstMs) begun.push({ number, firstMs: after.firstMs })
    const reportedToMs = own.flatMap(({ gaps }) => gaps).reduce((to, gap) => Math.max(to, gap.toMs), node.reportedToMs)
    later.push(() => Object.assign(node, { firstMs: after.firstMs, newestMs: after.newestMs, reportedToMs }))
  }
  await replaceHoles(tx, removed, added)
  if (begun.length > 0) {
    await sql`
      update metric_nodes set first_ms = b.first_ms
      from unnest(${begun.map(({ number }) => number)}::int[], ${begun.map(({ firstMs }) => firstMs)}::bigint[])
        as b (number, first_ms) where metric_nodes.number = b.number`.execute(tx)
  }
  await storeReports(tx, byNode, window)
  const settle = await storeSettings(tx, [...byNode.keys()], window)
  return () => {
    for (const change of later) change()
    settle()
  }
}

/** Only samples before the newest can meet a hole, so nothing is read for the usual next sample. */
async function knownHoles(
  tx: Tx,
  byNode: readonly (readonly [NodeState, readonly Arrival[]])[],
  { numberOf }: Window,
): Promise<Map<number, Hole[]>> {
  const asked = byNode
    .map(([node, arrivals]) => {
      const times = arrivals.flatMap(({ timesMs }) => timesMs).filter((atMs) => atMs < (node.newestMs ?? 0))
      return { number: numberOf(node), times }
    })
    .filter(({ times }) => times.length > 0)
  const holes = new Map<number, Hole[]>()
  if (asked.length === 0) return holes
  const { rows } = await sql<{ node: number; fromMs: number; toMs: number }>`
    select g.node, g.from_ms::float8 as "fromMs", g.to_ms::float8 as "toMs"
    from unnest(${asked.map(({ number }) => number)}::int[], ${asked.map(({ times }) => Math.min(...times))}::bigint[],
      ${asked.map(({ times }) => Math.max(...times))}::bigint[]) as a (node, least, greatest)
    join metric_gaps g on g.node = a.node and g.to_ms > a.least and g.from_ms < a.greatest`.execute(tx)
  for (const { node, fromMs, toMs } of rows) holes.set(node, [...(holes.get(node) ?? []), { fromMs, toMs }])
  return holes
}

async function replaceHoles(
  tx: Tx,
  removed: readonly (Hole & { number: number })[],
  added: readonly (Hole & { number: number })[],
): Promise<void> {
  if (removed.length > 0) {
    await sql`
      delete from metric_gaps g
      using unnest(${removed.map(({ number }) => number)}::int[], ${removed.map(({ fromMs }) => fromMs)}::bigint[])
        as r (node, from_ms) where g.node = r.node and g.from_ms = r.from_ms`.execute(tx)
  }
  if (added.length > 0) {
    await sql`
      insert into metric_gaps (node, from_ms, to_ms)
      select * from unnest(${added.map(({ number }) => number)}::int[], ${added.map(({ fromMs }) => fromMs)}::bigint[],
        ${added.map(({ toMs }) => toMs)}::bigint[])
      on conflict (node, from_ms) do update set to_ms = excluded.to_ms`.execute(tx)
  }
}

/** Takes what agents told of, and sees whether a sample lies inside of what was told by now. */
async function storeReports(
  tx: Tx,
  byNode: ReadonlyMap<NodeState, readonly Arrival[]>,
  { numberOf, aheadMs }: Window,
): Promise<void> {
  const told = [...byNode].flatMap(([node, arrivals]) =>
    arrivals.flatMap(({ gaps }) =>
      gaps
        .filter(({ fromMs, toMs }) => fromMs < toMs && toMs <= aheadMs)
        .map((gap) => ({ ...gap, number: numberOf(node) })),
    ),
  )
  if (told.length > 0) {
    await sql`
      insert into metric_gap_reports (node, from_ms, to_ms, reason)
      select * from unnest(${told.map(({ number }) => number)}::int[], ${told.map(({ fromMs }) => fromMs)}::bigint[],
        ${told.map(({ toMs }) => toMs)}::bigint[], ${told.map(({ reason }) => reason)}::text[])
      on conflict do nothing`.execute(tx)
  }
  const touched = [...byNode].filter(([node, arrivals]) =>
    arrivals.some(({ gaps, timesMs }) => gaps.length > 0 || timesMs.some((atMs) => atMs < node.reportedToMs)),
  )
  if (touched.length === 0) return
  await sql`
    update metric_gap_reports r set filled = true
    where not filled and node = any(${touched.map(([node]) => numberOf(node))}::int[]) and exists (
      select 1 from metric_raw s where s.node = r.node and s.at_ms > r.from_ms and s.at_ms < r.to_ms)`.execute(tx)
}

/** Interval and correction in use, where they changed. */
async function storeSettings(tx: Tx, nodes: readonly NodeState[], { numberOf }: Window): Promise<() => void> {
  const changed = nodes
    .filter((node) => node.intervalMs !== node.storedIntervalMs || node.skewMs !== node.storedSkewMs)
    .map((node) => ({ node, intervalMs: node.intervalMs, skewMs: node.skewMs }))
  if (changed.length === 0) return () => undefined
  await sql`
    update metric_nodes set interval_ms = c.interval_ms, skew_ms = c.skew_ms
    from unnest(${changed.map(({ node }) => numberOf(node))}::int[],
      ${changed.map(({ intervalMs }) => intervalMs)}::int[], ${changed.map(({ skewMs }) => skewMs)}::bigint[])
      as c (number, interval_ms, skew_ms) where metric_nodes.number = c.number`.execute(tx)
  return () => {
    for (const { node, intervalMs, skewMs } of changed) {
      node.storedIntervalMs = intervalMs
      node.storedSkewMs = skewMs
    }
  }
}
