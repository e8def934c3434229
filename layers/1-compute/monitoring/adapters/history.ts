import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql } from 'kysely'
import { explainedGaps, toleranceOf } from '../domain/gaps.ts'
import {
  fittingResolution,
  gatherPoints,
  LONGEST_MS,
  MOST_POINTS,
  type Point,
  type Points,
  pointWidth,
  type Resolution,
} from '../domain/period.ts'
import { placeOf } from '../domain/rollup.ts'
import { decodeSample } from '../domain/sample-code.ts'
import { unreadTimes } from '../domain/unread.ts'
import { monitoringErrors as errors } from '../errors.ts'
import type { Gap, Monitoring, Series } from '../ports.ts'
import type { SampleGap } from '../protocol.ts'
import { CATALOGUE_QUANTA, METRIC_PLACES } from './catalogue.ts'
import type { NodeState, Nodes } from './nodes.ts'
import { type Database, SCOPE, type Tx } from './partitions.ts'
import { keptSince } from './retention.ts'
import {
  MINUTE_MS,
  type NodeRollup,
  type RawRow,
  type Reading,
  readable,
  readingAt,
  readRaw,
  readRollups,
  rollupOfRaw,
} from './rollups.ts'
import { DAY_MS, HOUR_MS } from './tables.ts'

export interface HistoryPorts extends Reading {
  readonly database: Database
  readonly nodes: Nodes
}

type SeriesQuery = Parameters<Monitoring['series']>[0]

/** What is wanted of each node's readings: one chip, some metrics, and where its points are gathered. */
interface Wanted {
  readonly chipUuid: string
  readonly fromMs: number
  readonly toMs: number
  readonly widthMs: number
  readonly points: readonly { readonly metric: number; readonly points: Points }[]
}

const RESOLUTIONS: readonly Resolution[] = ['raw', 'minute', 'hour']
/** Rollups of one read: a quarter of a day's worth of parsing between turns of the event loop. */
const SPANS_AT_ONCE = 24

export async function series(ports: HistoryPorts, query: SeriesQuery, nowMs: number): Promise<readonly Series[]> {
  const metrics = query.metrics.map((name) => ({ name, place: placeOfMetric(name) }))
  const resolution = checkedResolution(query, nowMs)
  const node = ports.nodes.find(query.nodeId)
  const number = node?.number ?? null
  const wantedBy = (widthMs: number): Wanted => ({
    chipUuid: query.chipUuid,
    fromMs: query.fromMs,
    toMs: query.toMs,
    widthMs,
    points: metrics.map(({ place }) => ({ metric: place, points: gatherPoints(widthMs) })),
  })
  const wanted = number === null ? wantedBy(1) : await READERS[resolution](ports, number, query, wantedBy)
  const missing = node ? await gaps(ports, node, query.fromMs, query.toMs, nowMs) : []
  const points = wanted.points.map((each) => each.points.finish())
  const anything = points.some(({ length }) => length > 0)
  return metrics.map(({ name }, index) => {
    const own = points[index] ?? []
    // What this chip never tells beside its other readings is not missing.
    const unread = node && (own.length > 0 || !anything) ? unreadOf(node, wanted, own, missing) : []
    const gaps = [...missing, ...unread].sort((a, b) => a.fromMs - b.fromMs || a.toMs - b.toMs)
    return { chipUuid: query.chipUuid, metric: name, resolution, points: own, gaps }
  })
}

/** The node sent, and still this chip was not read: its tool hung, or nobody saw the chip. */
function unreadOf(node: NodeState, wanted: Wanted, points: readonly Point[], missing: readonly Gap[]): Gap[] {
  const { firstMs, newestMs, intervalMs } = node
  if (firstMs === null || newestMs === null) return []
  const readings = {
    timesMs: points.map(({ atMs }) => atMs),
    widthMs: wanted.widthMs,
    fromMs: Math.max(wanted.fromMs, firstMs),
    toMs: Math.min(wanted.toMs, newestMs),
    toleranceMs: toleranceOf(intervalMs),
  }
  return unreadTimes(readings, missing).map((hole) => ({ ...hole, reason: 'not-read' as const }))
}

function placeOfMetric(name: string): number {
  const place = METRIC_PLACES.get(name)
  if (place !== undefined) return place
  throw errors['metric.unknown']({ metric: name }, { errors: [{ path: 'metrics', message: `unknown: ${name}` }] })
}

function checkedResolution({ fromMs, toMs, resolution }: SeriesQuery, nowMs: number): Resolution {
  const chosen = kept(resolution ?? fittingResolution(fromMs, toMs, nowMs), fromMs, nowMs)
  const refuse = (path: string, reason: string) =>
    errors.range({ reason, days: LONGEST_MS[chosen] / DAY_MS }, { errors: [{ path, message: reason }] })
  if (!Number.isSafeInteger(fromMs) || fromMs < 0) throw refuse('from', 'from is not a time')
  if (!Number.isSafeInteger(toMs) || toMs < 0) throw refuse('to', 'to is not a time')
  if (fromMs >= toMs) throw refuse('from', 'from >= to')
  const keptMs = keptSince(chosen, nowMs)
  if (fromMs < keptMs) throw refuse('from', `from < ${new Date(keptMs).toISOString()}`)
  if (toMs - fromMs > LONGEST_MS[chosen]) throw refuse('to', `to - from > ${LONGEST_MS[chosen] / DAY_MS} d`)
  return chosen
}

/** What is dropped already is told in the finest steps that are kept; the answer names them. */
function kept(resolution: Resolution, fromMs: number, nowMs: number): Resolution {
  const coarser = RESOLUTIONS.slice(RESOLUTIONS.indexOf(resolution))
  return coarser.find((each) => fromMs >= keptSince(each, nowMs)) ?? 'hour'
}

type Reader = (
  ports: HistoryPorts,
  node: number,
  period: { readonly fromMs: number; readonly toMs: number },
  wantedBy: (widthMs: number) => Wanted,
) => Promise<Wanted>

const READERS: Readonly<Record<Resolution, Reader>> = {
  async raw(ports, node, { fromMs, toMs }, wantedBy) {
    const rows = await ports.database.run(SCOPE, (tx) => readRaw(tx, ports, [node], fromMs, toMs))
    // Each sample stands for itself as long as they are few enough.
    const wanted = wantedBy(rows.length <= MOST_POINTS ? 1 : pointWidth(fromMs, toMs, 1_000))
    addRaw(rows, ports, wanted)
    return wanted
  },
  async minute(ports, node, { fromMs, toMs }, wantedBy) {
    const wanted = wantedBy(pointWidth(fromMs, toMs, MINUTE_MS))
    await addMinutes(ports, node, fromMs, toMs, wanted)
    return wanted
  },
  async hour(ports, node, { fromMs, toMs }, wantedBy) {
    const wanted = wantedBy(pointWidth(fromMs, toMs, HOUR_MS))
    const days = spans(fromMs, toMs, DAY_MS)
    const stale = await ports.database.run(SCOPE, (tx) => unfinishedDays(tx, node, fromMs, toMs))
    for (let at = 0; at < days.length; at += SPANS_AT_ONCE) {
      const some = days.slice(at, at + SPANS_AT_ONCE).filter((day) => !stale.has(day))
      const read = await ports.database.run(SCOPE, (tx) => readRollups(tx, ports, 'metric_hour', node, some))
      for (const day of read) addRollup(day, HOUR_MS, wanted)
      await nextTurn()
    }
    for (const day of stale) {
      await addMinutes(ports, node, Math.max(day, fromMs), Math.min(day + DAY_MS, toMs), wanted)
    }
    return wanted
  },
}

/** Hours that are made come as such, the others (the current one, and where samples came late) from the samples. */
async function addMinutes(
  ports: HistoryPorts,
  node: number,
  fromMs: number,
  toMs: number,
  wanted: Wanted,
): Promise<void> {
  const hours = spans(fromMs, toMs, HOUR_MS)
  const stale = await ports.database.run(SCOPE, (tx) => unfinishedHours(tx, node, fromMs, toMs))
  for (let at = 0; at < hours.length; at += SPANS_AT_ONCE) {
    const some = hours.slice(at, at + SPANS_AT_ONCE).filter((hour) => !stale.has(hour))
    const read = await ports.database.run(SCOPE, (tx) => readRollups(tx, ports, 'metric_minute', node, some))
    for (const hour of read) addRollup(hour, MINUTE_MS, wanted)
    await nextTurn()
  }
  for (const hour of stale) {
    const rows = await ports.database.run(SCOPE, (tx) => readRaw(tx, ports, [node], hour, hour + HOUR_MS))
    const rollup = rollupOfRaw(rows, ports, hour)
    if (rollup) addRollup(rollup, MINUTE_MS, wanted)
  }
}

function spans(fromMs: number, toMs: number, spanMs: number): number[] {
  const first = Math.floor(fromMs / spanMs) * spanMs
  return Array.from({ length: Math.ceil((toMs - first) / spanMs) }, (_, index) => first + index * spanMs)
}

async function unfinishedHours(tx: Tx, node: number, fromMs: number, toMs: number): Promise<Set<number>> {
  const { rows } = await sql<{ fromMs: number }>`
    select from_ms::float8 as "fromMs" from metric_work
    where node = ${node} and level = 0 and from_ms > ${fromMs - HOUR_MS}::bigint and from_ms < ${toMs}::bigint
    order by from_ms`.execute(tx)
  return new Set(rows.map((row) => row.fromMs))
}

async function unfinishedDays(tx: Tx, node: number, fromMs: number, toMs: number): Promise<Set<number>> {
  const { rows } = await sql<{ dayMs: number }>`
    select distinct (from_ms / ${DAY_MS}::bigint * ${DAY_MS}::bigint)::float8 as "dayMs" from metric_work
    where node = ${node} and from_ms > ${fromMs - DAY_MS}::bigint and from_ms < ${toMs}::bigint
    order by 1`.execute(tx)
  return new Set(rows.map((row) => row.dayMs).filter((dayMs) => dayMs + DAY_MS > fromMs))
}

function addRaw(rows: readonly RawRow[], reading: Reading, { chipUuid, points }: Wanted): void {
  for (const { layout: id, payload, atMs } of rows) {
    const layout = reading.layouts.byId(id)
    const chip = layout?.chips.indexOf(chipUuid) ?? -1
    if (!layout || chip < 0) continue
    const chips = layout.chips.length
    const codes = readable(reading, () => decodeSample(payload, { chips, metrics: layout.metrics.length }))
    if (!codes) continue
    for (const { metric, points: gathered } of points) {
      const column = layout.metrics.indexOf(metric)
      const code = column < 0 ? Number.NaN : (codes[column * chips + chip] ?? Number.NaN)
      const value = CATALOGUE_QUANTA[metric]?.fromCode(code) ?? null
      if (value !== null) gathered.add(atMs, { count: 1, min: value, mean: value, max: value })
    }
  }
}

function addRollup({ fromMs, layout, rollup }: NodeRollup, slotMs: number, wanted: Wanted): void {
  const chip = layout.chips.indexOf(wanted.chipUuid)
  if (chip < 0) return
  for (const { metric, points } of wanted.points) {
    const column = layout.metrics.indexOf(metric)
    const quantum = CATALOGUE_QUANTA[metric]
    if (column < 0 || !quantum) continue
    const valueIn = (code: number) => quantum.fromCode(code) ?? 0
    for (let slot = 0; slot < rollup.slots; slot += 1) {
      const atMs = fromMs + slot * slotMs
      // A slot that reaches into the period belongs to it.
      if (atMs + slotMs <= wanted.fromMs || atMs >= wanted.toMs) continue
      const reading = readingAt(rollup, placeOf(rollup, column, chip, slot))
      if (!reading) continue
      const { count, min, mean, max } = reading
      points.add(atMs, { count, min: valueIn(min), mean: valueIn(mean), max: valueIn(max) })
    }
  }
}

/** Times without samples that touch the period, whole; the last one may reach to now. */
export async function gaps(
  { database }: HistoryPorts,
  node: NodeState,
  fromMs: number,
  toMs: number,
  nowMs: number,
): Promise<readonly Gap[]> {
  const { number } = node
  if (number === null) return []
  const widthMs = pointWidth(fromMs, toMs, 1)
  const { holes, reports } = await database.run(SCOPE, async (tx) => {
    // More than a picture can show are told together where they begin within one point of it.
    const found = await sql<{ fromMs: number; toMs: number }>`
      with found as (select from_ms, to_ms, count(*) over () as many from metric_gaps
        where node = ${number} and from_ms < ${toMs}::bigint and to_ms > ${fromMs}::bigint)
      select min(from_ms)::float8 as "fromMs", max(to_ms)::float8 as "toMs" from found
      group by case when many > ${MOST_POINTS} then from_ms / ${widthMs}::bigint else from_ms end`.execute(tx)
    // What explains a hole overlaps it, and a hole may begin before and end after the period.
    const least = Math.min(fromMs, ...found.rows.map((row) => row.fromMs))
    const greatest = Math.max(toMs, ...found.rows.map((row) => row.toMs))
    const told = await sql<{ fromMs: number; toMs: number; reason: SampleGap['reason']; filled: boolean }>`
      with found as (select from_ms, to_ms, reason, filled, count(*) over () as many from metric_gap_reports
        where node = ${number} and from_ms < ${greatest}::bigint and to_ms > ${least}::bigint)
      select min(from_ms)::float8 as "fromMs", max(to_ms)::float8 as "toMs", reason, filled from found
      group by reason, filled, case when many > ${MOST_POINTS} then from_ms / ${widthMs}::bigint else from_ms end
      `.execute(tx)
    return { holes: found.rows, reports: told.rows }
  })
  const { newestMs, intervalMs } = node
  if (newestMs !== null && nowMs - newestMs > toleranceOf(intervalMs)) holes.push({ fromMs: newestMs, toMs: nowMs })
  return explainedGaps(holes, reports).filter((gap) => gap.fromMs < toMs && gap.toMs > fromMs)
}
