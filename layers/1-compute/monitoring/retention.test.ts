import { startTestStore, type TestStore } from '@medley/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createMonitoring, type Monitoring, monitoringMigrations } from './index.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const START_MS = Date.UTC(2026, 0, 1)
const FROM = {
  nodeId: 'node_a',
  layout: { chips: ['chip-a'], metrics: ['utilizationRatio'] },
  gaps: [],
  skewMs: 0,
  intervalMs: 15_000,
}
const clock = { ms: START_MS, now: () => clock.ms }

let test: TestStore
let monitoring: Monitoring
const open = () => createMonitoring({ store: test.store, clock, gatherMs: 2 })

beforeEach(async () => {
  clock.ms = START_MS
  test = await startTestStore(monitoringMigrations)
  monitoring = open()
}, 120_000)
afterEach(async () => {
  await monitoring?.close()
  await test?.close()
})

const handIn = (times: readonly number[]) =>
  monitoring.ingest({ ...FROM, samples: times.map((atMs) => ({ atMs, values: [[0.5]] })) })

async function partitions(table: string): Promise<readonly number[]> {
  const { rows } = await test.store.pool.query<{ name: string }>(
    'select relname as name from pg_inherits join pg_class on oid = inhrelid where inhparent = $1::regclass order by 1',
    [table],
  )
  return rows.map(({ name }) => Number(name.slice(table.length + 1)))
}

async function rows(table: string): Promise<number | undefined> {
  return (await monitoring.footprint()).find((part) => part.table === table)?.rows
}

const readAll = (resolution: 'raw' | 'minute' | 'hour', fromMs: number, toMs: number) =>
  monitoring
    .series({ nodeId: 'node_a', chipUuid: 'chip-a', metrics: ['utilizationRatio'], fromMs, toMs, resolution })
    .then(([series]) => [series?.points.length, series?.resolution])

it('keeps samples a day, minutes a month and hours two years, by whole partitions', async () => {
  clock.ms = START_MS + HOUR_MS
  await handIn([START_MS + 1_000, START_MS + 16_000])
  const until = (ms: number) => [START_MS, ms] as const
  clock.ms = START_MS + DAY_MS + 3 * HOUR_MS
  // Minutes are not made yet: the samples have to wait for it.
  await monitoring.retain(clock.ms)
  expect(await partitions('metric_raw')).toContain(START_MS)
  while ((await monitoring.compact(clock.ms)).hours > 0);
  await monitoring.retain(clock.ms)
  expect(await partitions('metric_raw')).not.toContain(START_MS)
  // Told in minutes, and said so: an empty answer without a gap would be a lie.
  expect(await readAll('raw', ...until(START_MS + HOUR_MS))).toEqual([1, 'minute'])
  expect(await rows('metric_hour')).toBe(1)

  clock.ms = START_MS + 31 * DAY_MS
  await monitoring.retain(clock.ms)
  expect(await partitions('metric_minute')).toEqual([])
  expect(await readAll('hour', ...until(clock.ms))).toEqual([1, 'hour'])
  expect(await readAll('raw', ...until(START_MS + HOUR_MS))).toEqual([1, 'hour'])

  clock.ms = START_MS + 800 * DAY_MS
  await monitoring.retain(clock.ms)
  expect(await partitions('metric_hour')).toEqual([])
  expect((await monitoring.footprint()).map(({ table }) => table)).toContain('metric_gaps')
  for (const resolution of ['raw', 'minute', 'hour'] as const) {
    await expect(readAll(resolution, ...until(START_MS + HOUR_MS))).rejects.toMatchObject({ code: 'monitoring.range' })
  }
})

it('makes the partitions of the next hours before they are needed', async () => {
  await monitoring.compact(clock.ms)
  expect(await partitions('metric_raw')).toEqual([START_MS, START_MS + 2 * HOUR_MS])
})

it('marks the gap after a week of silence, when the last sample is long gone, also after a restart', async () => {
  clock.ms = START_MS + HOUR_MS
  await handIn([START_MS + 1_000])
  clock.ms = START_MS + 7 * DAY_MS
  while ((await monitoring.compact(clock.ms)).hours > 0);
  await monitoring.retain(clock.ms)
  expect(await rows('metric_raw')).toBe(0)
  await monitoring.close()
  monitoring = open()
  await handIn([clock.ms])
  expect(await monitoring.gaps({ nodeId: 'node_a', fromMs: START_MS, toMs: clock.ms })).toEqual([
    { fromMs: START_MS + 1_000, toMs: clock.ms, reason: 'unknown' },
  ])
})

it('does not take samples older than what is kept, and marks their time as unseen', async () => {
  clock.ms = START_MS + 3 * DAY_MS
  const lateMs = clock.ms - 2 * DAY_MS
  await handIn([lateMs, lateMs + 15_000])
  await handIn([clock.ms])
  expect(await rows('metric_raw')).toBe(1)
  expect(await monitoring.gaps({ nodeId: 'node_a', fromMs: START_MS, toMs: clock.ms })).toEqual([
    { fromMs: lateMs, toMs: clock.ms, reason: 'unknown' },
  ])
})

it('takes no sample into an hour of which others are gone, also when the clock is set back', async () => {
  clock.ms = START_MS + HOUR_MS
  await handIn([START_MS + 1_000])
  clock.ms = START_MS + 2 * DAY_MS
  while ((await monitoring.compact(clock.ms)).hours > 0);
  await monitoring.retain(clock.ms)
  clock.ms = START_MS + HOUR_MS
  await handIn([START_MS + 31_000])
  expect(await rows('metric_raw')).toBe(0)
  expect(await readAll('minute', START_MS, START_MS + HOUR_MS)).toEqual([1, 'minute'])
})
