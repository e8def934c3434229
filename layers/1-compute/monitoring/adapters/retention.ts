import { sql } from 'kysely'
import type { Resolution } from '../domain/period.ts'
import {
  type Database,
  listPartitions,
  type Partition,
  type Partitions,
  partitionStart,
  SCOPE,
  type Tx,
} from './partitions.ts'
import { RAW_KEPT_MS } from './store-samples.ts'
import { DAY_MS, PARTITION_MS, type PartitionedTable } from './tables.ts'

const KEPT_MS: Readonly<Record<PartitionedTable, number>> = {
  metric_raw: RAW_KEPT_MS,
  metric_minute: 30 * DAY_MS,
  metric_hour: 730 * DAY_MS,
}
/** Of what a partition still has to give to the next level: so long it waits for that, then space goes first. */
const MOST_OVERDUE_MS = 7 * DAY_MS

/** From here on all is kept: what is older is dropped, or soon will be. */
export const keptSince = (resolution: Resolution, nowMs: number) =>
  Math.max(partitionStart(`metric_${resolution}`, nowMs - KEPT_MS[`metric_${resolution}`]), 0)

/** What is too old goes by whole partitions: no row is deleted, nothing is left to clean. */
export async function retain(database: Database, partitions: Partitions, nowMs: number): Promise<void> {
  const all = await database.run(SCOPE, listPartitions)
  for (const partition of all) {
    const overdueMs = nowMs - KEPT_MS[partition.table] - (partition.fromMs + PARTITION_MS[partition.table])
    if (overdueMs < 0) continue
    const dropped = database.run(SCOPE, async (tx) => {
      if (overdueMs < MOST_OVERDUE_MS && (await isStillNeeded(tx, partition))) return
      if (partition.table === 'metric_raw') await keepEnds(tx, partition)
      await partitions.drop(tx, partition)
    })
    await dropped.catch((error: unknown) => {
      // Somebody reads just now: there is another day.
      if (!isLockTimeout(error)) throw error
    })
  }
  const oldestMs = nowMs - KEPT_MS.metric_hour
  await database.run(SCOPE, async (tx) => {
    await sql`delete from metric_gaps where to_ms < ${oldestMs}::bigint`.execute(tx)
    await sql`delete from metric_gap_reports where to_ms < ${oldestMs}::bigint`.execute(tx)
  })
}

const isLockTimeout = (error: unknown) =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === '55P03'

/** True as long as minutes or hours have yet to be made of it. */
async function isStillNeeded(tx: Tx, { table, fromMs }: Partition): Promise<boolean> {
  if (table === 'metric_hour') return false
  const { rows } = await sql<{ needed: boolean }>`
    select exists (select 1 from metric_work where level = ${table === 'metric_raw' ? 0 : 1}
      and from_ms >= ${fromMs}::bigint and from_ms < ${fromMs + PARTITION_MS[table]}::bigint) as needed`.execute(tx)
  return rows[0]?.needed === true
}

/** Where a node's time ends must outlive the samples: the next one, a week later, follows a gap. */
async function keepEnds(tx: Tx, { fromMs }: Partition): Promise<void> {
  const toMs = fromMs + PARTITION_MS.metric_raw
  await sql`update metric_floor set raw_ms = greatest(raw_ms, ${toMs}::bigint)`.execute(tx)
  await sql`
    update metric_nodes n set newest_ms = r.at_ms from metric_nodes o cross join lateral (
      select at_ms from metric_raw where node = o.number and at_ms >= ${fromMs}::bigint and at_ms < ${toMs}::bigint
      order by at_ms desc limit 1) r
    where n.number = o.number and coalesce(n.newest_ms, 0) < r.at_ms`.execute(tx)
  await sql`delete from metric_work where level = 0 and from_ms < ${toMs}::bigint`.execute(tx)
}

/** Small tables are counted, of large ones the planner's estimate is told. */
const COUNTED_BYTES = 64 * 2 ** 20

const OTHERS = ['metric_nodes', 'metric_layouts', 'metric_work', 'metric_gaps', 'metric_gap_reports']

export async function footprint(
  database: Database,
): Promise<readonly { readonly table: string; readonly bytes: number; readonly rows: number }[]> {
  return await database.run(SCOPE, async (tx) => {
    const partitions = await listPartitions(tx)
    const others = await sql<{ name: string; bytes: number }>`
      select relname as name, pg_total_relation_size(oid)::float8 as bytes from pg_class
      where relnamespace = current_schema()::regnamespace and relname = any(${OTHERS}::text[])`.execute(tx)
    const parts = [
      ...Object.keys(PARTITION_MS).map((table) => ({ table, name: null, bytes: 0 })),
      ...partitions,
      ...others.rows.map((row) => ({ ...row, table: row.name })),
    ]
    const sums = new Map<string, { bytes: number; rows: number }>()
    for (const { table, name, bytes } of parts) {
      const sum = sums.get(table) ?? { bytes: 0, rows: 0 }
      const rows = name === null ? 0 : await countRows(tx, name, bytes)
      sums.set(table, { bytes: sum.bytes + bytes, rows: sum.rows + rows })
    }
    return [...sums].map(([table, sum]) => ({ table, ...sum }))
  })
}

async function countRows(tx: Tx, name: string, bytes: number): Promise<number> {
  const counted = await (bytes <= COUNTED_BYTES
    ? sql<{ rows: number }>`select count(*)::float8 as rows from ${sql.table(name)}`
    : sql<{ rows: number }>`
        select greatest(reltuples, pg_stat_get_live_tuples(oid), 0)::float8 as rows from pg_class
        where relname = ${name} and relnamespace = current_schema()::regnamespace`
  ).execute(tx)
  return counted.rows[0]?.rows ?? 0
}
