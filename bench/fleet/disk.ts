import { expandPlan, type SimulationPlan, uuidOf, valuesAt } from '@medley/agent'
import { createMonitoring, monitoringMigrations } from '@medley/monitoring'
import { CHIP_METRICS } from '@medley/monitoring/protocol'
import { openStore } from '@medley/store'
import { startTestStore } from '@medley/testkit'
import type { RunningFactory } from '../../tests/factory.ts'
import { storeConnection } from './processes.ts'

const INTERVAL_MS = 15_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A day that has passed, so that all of it can be compacted. */
const START_MS = Date.UTC(2026, 0, 1)
const BATCH = 240
/** Raw rows go by partitions of two hours, minutes by the day, hours by thirty days. */
const KEPT = { rawHours: 24 + 2, minuteDays: 30 + 1, hourDays: 730 + 30 }
/** Fill of a heap page and what an index entry of such a key takes, page overhead included. */
const HEAP_SLACK = 1.1
const INDEX_BYTES = 48

export interface StoredSamples {
  /** Rows of readings: one per node and time, times its chips. */
  readonly chipSamples: number
  readonly nodeSamples: number
  /** Table, index and all, per sample of a node. */
  readonly bytesPerNodeSample: number
  /** What else the database holds, and the write-ahead log at its longest. */
  readonly otherBytes: number
}

/** What the factory's own store holds of simulated nodes, by SQL: the API rounds and pages, the store does not. */
export async function storedSamples(factory: RunningFactory): Promise<StoredSamples> {
  const store = openStore({ connection: storeConnection(factory.data), maxConnections: 1 })
  const one = async (sql: string): Promise<readonly number[]> => {
    const { rows } = await store.pool.query({ text: sql, rowMode: 'array' })
    return (rows[0] ?? []).map(Number)
  }
  try {
    const [nodeSamples = 0, chipSamples = 0] = await one(`
      select count(*), coalesce(sum(jsonb_array_length(l.chips)), 0) from metric_raw r
        join metric_layouts l on l.id = r.layout
        where exists (select 1 from jsonb_array_elements_text(l.chips) c where c like 'SIM-%')`)
    const [rawBytes = 0] = await one(partitionBytes('metric_raw'))
    const [allRows = 0] = await one('select count(*) from metric_raw')
    const [database = 0] = await one('select pg_database_size(current_database())')
    const [log = 0] = await one(`select pg_size_bytes(current_setting('max_wal_size'))`)
    return {
      chipSamples,
      nodeSamples,
      bytesPerNodeSample: rawBytes / Math.max(1, allRows),
      otherBytes: database - rawBytes + log,
    }
  } finally {
    await store.close()
  }
}

const partitionBytes = (table: string) => `
  select coalesce(sum(pg_total_relation_size(inhrelid)), 0) from pg_inherits where inhparent = '${table}'::regclass`

export interface CompactedBytes {
  readonly minutePerNodeHour: number
  readonly hourPerNodeDay: number
}

/** A day of some of the plan's nodes, handed in and compacted by the real module in a scratch database. */
export async function compactedBytes(plan: SimulationPlan, count: number): Promise<CompactedBytes> {
  const all = expandPlan(plan)
  const nodes = all.filter((_, index) => index % Math.floor(all.length / count) === 0).slice(0, count)
  const test = await startTestStore(monitoringMigrations)
  const clock = { ms: START_MS, now: () => clock.ms }
  const monitoring = createMonitoring({ store: test.store, clock, gatherMs: 5 })
  try {
    for (let fromMs = START_MS; fromMs < START_MS + DAY_MS; fromMs += BATCH * INTERVAL_MS) {
      clock.ms = fromMs + BATCH * INTERVAL_MS
      const times = Array.from({ length: BATCH }, (_, index) => fromMs + index * INTERVAL_MS)
      await Promise.all(
        nodes.map((node) =>
          monitoring.ingest({
            nodeId: node.hostname,
            layout: {
              chips: node.chips.map(({ index }) => uuidOf('bench', node, index)),
              metrics: CHIP_METRICS.map(({ name }) => name),
            },
            samples: times.map((atMs) => ({
              atMs,
              values: node.chips.map((chip) => valuesAt(node, chip, atMs - START_MS, atMs)),
            })),
            gaps: [],
            skewMs: 0,
            intervalMs: INTERVAL_MS,
          }),
        ),
      )
    }
    clock.ms = START_MS + 2 * DAY_MS
    for (let pass = 0; pass < 100; pass += 1) {
      const { hours, days } = await monitoring.compact(clock.ms)
      if (hours + days === 0) break
    }
    const perRow = async (table: string) => {
      const { rows } = await test.store.pool.query({
        text: `select coalesce(sum(pg_column_size(t.*)), 0), count(*) from ${table} t`,
        rowMode: 'array',
      })
      const [bytes, counted] = (rows[0] ?? []).map(Number)
      return (bytes ?? 0) * HEAP_SLACK + (counted ?? 0) * INDEX_BYTES
    }
    return {
      minutePerNodeHour: (await perRow('metric_minute')) / (nodes.length * 24),
      hourPerNodeDay: (await perRow('metric_hour')) / nodes.length,
    }
  } finally {
    await monitoring.close()
    await test.close()
  }
}

/** Bytes on disk when every level is as full as its keeping time lets it be. */
export function extrapolate(nodes: number, stored: StoredSamples, compacted: CompactedBytes) {
  const raw = ((nodes * (KEPT.rawHours * HOUR_MS)) / INTERVAL_MS) * stored.bytesPerNodeSample
  const minute = nodes * KEPT.minuteDays * 24 * compacted.minutePerNodeHour
  const hour = nodes * KEPT.hourDays * compacted.hourPerNodeDay
  return { raw, minute, hour, other: stored.otherBytes, total: raw + minute + hour + stored.otherBytes }
}
