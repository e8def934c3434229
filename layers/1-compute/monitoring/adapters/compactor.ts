import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { sql } from 'kysely'
import { digestOfLayout, type Layouts } from './catalogue.ts'
import { type Database, type Partitions, SCOPE, type Tx } from './partitions.ts'
import { type NodeRollup, pack, type Reading, readRaw, readRollups, rollupOfHours, rollupOfRaw } from './rollups.ts'
import { storeLayouts } from './store-samples.ts'
import { DAY_MS, HOUR_MS, PARTITION_MS } from './tables.ts'

export interface CompactorPorts extends Reading {
  readonly database: Database
  readonly partitions: Partitions
}

interface Unit {
  readonly fromMs: number
  readonly node: number
}

/** Samples on their way when an hour ends. Those that come later make the hour again. */
const GRACE_MS = 2 * 60_000
/** Nodes of one transaction: some ten milliseconds of work between turns of the event loop. */
const NODES_AT_ONCE = 8
/** Of one call: what is left waits for the next, so that the turn of an hour is spread over minutes. */
const MOST_UNITS = 300
/** Rest after each group, as a multiple of the time it took: others share the machine. */
const REST = 1

interface Level {
  readonly number: 0 | 1
  readonly table: 'metric_minute' | 'metric_hour'
  readonly spanMs: number
  make(tx: Tx, units: readonly Unit[]): Promise<readonly (NodeRollup & { readonly node: number })[]>
}

export async function compact(ports: CompactorPorts, nowMs: number): Promise<{ hours: number; days: number }> {
  await ports.partitions.ensure('metric_raw', [nowMs, nowMs + PARTITION_MS.metric_raw])
  const hours = await makeDue(ports, hourLevel(ports), nowMs)
  const days = await makeDue(ports, dayLevel(ports), nowMs)
  return { hours, days }
}

const hourLevel = (reading: Reading): Level => ({
  number: 0,
  table: 'metric_minute',
  spanMs: HOUR_MS,
  async make(tx, units) {
    const [first] = units
    if (!first) return []
    const nodes = units.map(({ node }) => node)
    const rows = await readRaw(tx, reading, nodes, first.fromMs, first.fromMs + HOUR_MS)
    const made: (NodeRollup & { node: number })[] = []
    for (const [node, own] of Map.groupBy(rows, (row) => row.node)) {
      const rollup = rollupOfRaw(own, reading, first.fromMs)
      if (rollup) made.push({ ...rollup, node })
      await nextTurn()
    }
    return made
  },
})

const dayLevel = (reading: Reading): Level => ({
  number: 1,
  table: 'metric_hour',
  spanMs: DAY_MS,
  async make(tx, units) {
    const made: (NodeRollup & { node: number })[] = []
    for (const { node, fromMs } of units) {
      const starts = Array.from({ length: 24 }, (_, hour) => fromMs + hour * HOUR_MS)
      const rollup = rollupOfHours(await readRollups(tx, reading, 'metric_minute', node, starts), fromMs)
      if (rollup) made.push({ ...rollup, node })
      await nextTurn()
    }
    return made
  },
})

/** Each group is one transaction: stopped at any point, what was not committed is still marked as work. */
async function makeDue(ports: CompactorPorts, level: Level, nowMs: number): Promise<number> {
  let made = 0
  while (made < MOST_UNITS) {
    const begunMs = performance.now()
    const units = await ports.database.run(SCOPE, (tx) => dueUnits(tx, level, nowMs))
    if (units.length === 0) break
    await ports.partitions.ensure(
      level.table,
      units.map(({ fromMs }) => fromMs),
    )
    await ports.database.run(SCOPE, (tx) => makeUnits(tx, ports, level, units))
    made += units.length
    await delay((performance.now() - begunMs) * REST)
  }
  return made
}

/** The oldest, all of one span. A day waits for its hours. */
async function dueUnits(tx: Tx, { number, spanMs }: Level, nowMs: number): Promise<readonly Unit[]> {
  const { rows } = await sql<Unit>`
    select from_ms::float8 as "fromMs", node from metric_work w
    where level = ${number} and from_ms <= ${nowMs - spanMs - GRACE_MS}::bigint
      and (${number} = 0 or not exists (
        select 1 from metric_work h where h.node = w.node and h.level = 0
          and h.from_ms >= w.from_ms and h.from_ms < w.from_ms + ${DAY_MS}::bigint))
    order by from_ms, node limit ${NODES_AT_ONCE}`.execute(tx)
  return rows.filter(({ fromMs }) => fromMs === rows[0]?.fromMs)
}

async function makeUnits(tx: Tx, ports: CompactorPorts, level: Level, units: readonly Unit[]): Promise<void> {
  const [first] = units
  if (!first) return
  // First of all, and the readings only then: a sample that is being stored right now is waited for here.
  await sql`
    delete from metric_work where level = ${level.number} and from_ms = ${first.fromMs}::bigint
      and node = any(${units.map(({ node }) => node)}::int[])`.execute(tx)
  const made = await level.make(tx, units)
  if (made.length === 0) return
  const ids = await layoutIds(tx, ports.layouts, made)
  const payloads: Buffer[] = []
  for (const { rollup } of made) payloads.push(await pack(rollup))
  await sql`
    insert into ${sql.table(level.table)} (from_ms, node, layout, payload)
    select ${first.fromMs}::bigint, * from unnest(${made.map(({ node }) => node)}::int[], ${ids}::int[],
      ${payloads}::bytea[])
    on conflict (node, from_ms) do update set layout = excluded.layout, payload = excluded.payload`.execute(tx)
  if (level.number === 1) return
  const dayMs = Math.floor(first.fromMs / DAY_MS) * DAY_MS
  await sql`
    insert into metric_work (level, from_ms, node)
    select 1, ${dayMs}::bigint, unnest(${made.map(({ node }) => node)}::int[])
    on conflict (level, from_ms, node) do update set node = excluded.node where false`.execute(tx)
}

/** Mostly that of the samples; a new one where chips came or went meanwhile. */
async function layoutIds(tx: Tx, layouts: Layouts, made: readonly NodeRollup[]): Promise<readonly number[]> {
  const digests = made.map(({ layout }) => digestOfLayout(layout))
  const distinct = new Map(made.map(({ layout }, index) => [digests[index] ?? '', layout]))
  const ids = await storeLayouts(
    tx,
    [...distinct].map(([digest, { chips, metrics }]) => ({ digest, chips, metrics })),
  )
  for (const [digest, layout] of distinct) {
    const id = ids.get(digest)
    if (id !== undefined) layouts.remember(id, layout)
  }
  return digests.map((digest) => ids.get(digest) ?? 0)
}
