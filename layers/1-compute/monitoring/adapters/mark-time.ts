import { sql } from 'kysely'
import { type Hole, toleranceOf, withLostSamples, withSamples } from '../domain/gaps.ts'
import { type NodeState, timelineOf } from './nodes.ts'
import type { Tx } from './partitions.ts'
import type { Arrival } from './store-samples.ts'

interface Window {
  readonly floorMs: number
  readonly aheadMs: number
  readonly numberOf: (node: NodeState) => number
}

/**
 * Marks the times without samples, in the transaction that stores the samples: history never has one without the
 * other. @returns what to change in memory after the commit
 */
export async function markTime(tx: Tx, arrivals: readonly Arrival[], window: Window): Promise<() => void> {
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
    const reportedToMs = own
      .flatMap(({ gaps }) => gaps)
      .reduce((to, gap) => Math.max(to, Math.min(gap.toMs, window.aheadMs)), node.reportedToMs)
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
