import { startTestStore, type TestStore } from '@medley/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMonitoring, type Monitoring, monitoringMigrations } from './index.ts'
import { CHIP_METRICS } from './protocol.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const INTERVAL_MS = 15_000
/** An hour that begins a day: what is late is late by the clock and not by chance. */
const START_MS = Date.UTC(2026, 10, 23)

let test: TestStore
const clock = {
  ms: START_MS,
  now() {
    return this.ms
  },
}
const opened: Monitoring[] = []

function open(): Monitoring {
  const monitoring = createMonitoring({ store: test.store, clock, gatherMs: 5 })
  opened.push(monitoring)
  return monitoring
}

beforeAll(async () => {
  test = await startTestStore(monitoringMigrations)
}, 120_000)
afterAll(async () => {
  for (const monitoring of opened) await monitoring.close()
  await test?.close()
})

const METRICS = ['utilizationRatio', 'memoryUsedBytes', 'temperatureCelsius', 'eccErrorsUncorrected']

let nodes = 0
function node() {
  nodes += 1
  const nodeId = `node_${nodes}`
  return {
    nodeId,
    layout: { chips: [`${nodeId}-a`, `${nodeId}-b`], metrics: METRICS },
    skewMs: 0,
    intervalMs: INTERVAL_MS,
  }
}

const values = (utilisation: number | null, celsius: number | null = 45.5) => [
  [utilisation, 3 * 2 ** 30, celsius, 0],
  [0.25, null, 50, 7],
]

const every = (fromMs: number, count: number) =>
  Array.from({ length: count }, (_, index) => fromMs + index * INTERVAL_MS)

describe('a node that hands in samples', () => {
  it('shows the newest reading and the series, also after a restart', async () => {
    const from = node()
    const monitoring = open()
    clock.ms = START_MS + HOUR_MS
    const times = every(START_MS + HOUR_MS - 60_000, 5)
    await monitoring.ingest({
      ...from,
      samples: times.map((atMs, index) => ({ atMs, values: values(index / 10) })),
      gaps: [],
    })
    const reading = monitoring.latest(`${from.nodeId}-a`)
    expect(reading).toMatchObject({ nodeId: from.nodeId, atMs: times[4] })
    expect(reading?.values[CHIP_METRICS.findIndex(({ name }) => name === 'utilizationRatio')]).toBe(0.4)
    expect(reading?.values[CHIP_METRICS.findIndex(({ name }) => name === 'powerWatts')]).toBeNull()
    const [series] = await monitoring.series({
      nodeId: from.nodeId,
      chipUuid: `${from.nodeId}-a`,
      metrics: ['utilizationRatio'],
      fromMs: START_MS,
      toMs: clock.ms + 1,
    })
    expect(series?.resolution).toBe('raw')
    expect(series?.points).toEqual(
      times.map((atMs, index) => ({ atMs, min: index / 10, mean: index / 10, max: index / 10, samples: 1 })),
    )
    const again = open()
    await again.gaps({ nodeId: from.nodeId, fromMs: 0, toMs: 1 })
    expect(again.latest(`${from.nodeId}-a`)).toEqual(reading)
  })

  it('makes minutes and hours and says the same as the samples', async () => {
    const from = node()
    const monitoring = open()
    clock.ms = START_MS + 2 * HOUR_MS
    await monitoring.ingest({
      ...from,
      samples: every(START_MS + HOUR_MS, 240).map((atMs, index) => ({ atMs, values: values((index % 7) / 10) })),
      gaps: [],
    })
    const query = {
      nodeId: from.nodeId,
      chipUuid: `${from.nodeId}-a`,
      metrics: METRICS,
      fromMs: START_MS,
      toMs: START_MS + 2 * HOUR_MS,
    }
    const minutes = await monitoring.series({ ...query, resolution: 'minute' })
    const hours = await monitoring.series({ ...query, resolution: 'hour' })
    expect(minutes[0]?.points).toHaveLength(60)
    expect(minutes[0]?.points[0]).toMatchObject({ atMs: START_MS + HOUR_MS, min: 0, max: 0.3, samples: 4 })
    expect(hours[0]?.points).toHaveLength(1)
    clock.ms = START_MS + DAY_MS + HOUR_MS
    const done = await monitoring.compact(clock.ms)
    expect(done.hours).toBeGreaterThan(0)
    expect(done.days).toBeGreaterThan(0)
    expect(await monitoring.compact(clock.ms)).toEqual({ hours: 0, days: 0 })
    // A stored mean is rounded to the step of its metric.
    const without = (all: typeof minutes) =>
      all.map((series) => series.points.map((point) => ({ ...point, mean: expect.closeTo(point.mean ?? -1, 2) })))
    const bare = (all: typeof minutes) => all.map((series) => series.points)
    expect(bare(await monitoring.series({ ...query, resolution: 'minute' }))).toEqual(without(minutes))
    expect(bare(await monitoring.series({ ...query, resolution: 'hour' }))).toEqual(without(hours))
  })
})
