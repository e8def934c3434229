import { systemScope } from '@medley/kernel'
import type { ScopedDatabase } from '@medley/store'
import { sql, type Transaction } from 'kysely'
import { type MonitoringTables, PARTITION_MS, type PartitionedTable } from './tables.ts'

export const SCOPE = systemScope('monitoring')
export type Database = ScopedDatabase<MonitoringTables>
export type Tx = Transaction<MonitoringTables>

export interface Partition {
  readonly table: PartitionedTable
  readonly name: string
  readonly fromMs: number
  readonly bytes: number
}

export const partitionStart = (table: PartitionedTable, atMs: number) =>
  Math.floor(atMs / PARTITION_MS[table]) * PARTITION_MS[table]

export async function listPartitions(tx: Tx): Promise<readonly Partition[]> {
  const { rows } = await sql<{ table: PartitionedTable; name: string; bytes: number }>`
    select parent.relname as "table", child.relname as name, pg_total_relation_size(child.oid)::float8 as bytes
    from pg_inherits join pg_class parent on parent.oid = inhparent join pg_class child on child.oid = inhrelid
    where parent.relkind = 'p' and parent.relnamespace = current_schema()::regnamespace
      and parent.relname in ('metric_raw', 'metric_minute', 'metric_hour')
    order by child.relname`.execute(tx)
  return rows.map((row) => ({ ...row, fromMs: Number(row.name.slice(row.table.length + 1)) }))
}

export interface Partitions {
  /** Makes what is missing for rows of these times. */
  ensure(table: PartitionedTable, timesMs: Iterable<number>): Promise<void>
  drop(tx: Tx, partition: Partition): Promise<void>
}

export function createPartitions(database: Database): Partitions {
  const known = new Set<string>()
  return {
    async ensure(table, timesMs) {
      const starts = new Set<number>()
      for (const atMs of timesMs) starts.add(partitionStart(table, atMs))
      for (const start of starts) {
        const name = `${table}_${start}`
        if (known.has(name)) continue
        // On its own: the lock on the table is held for a moment and not until the rows are in.
        await database.run(SCOPE, (tx) =>
          sql`select metric_add_partition(${table}, ${start}::bigint, ${start + PARTITION_MS[table]}::bigint)`.execute(
            tx,
          ),
        )
        known.add(name)
      }
    },
    async drop(tx, { table, name, fromMs }) {
      known.delete(name)
      // Readers of history are waited for, but not for long: everybody else would wait behind.
      await sql`select set_config('lock_timeout', '2s', true)`.execute(tx)
      await sql`select metric_drop_partition(${table}, ${fromMs}::bigint)`.execute(tx)
    },
  }
}
