import { AppError } from '@medley/kernel'
import { startTestStore, type TestStore } from '@medley/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMonitoring, type Monitoring, monitoringMigrations } from './index.ts'
import { CHIP_METRICS } from './protocol.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const INTERVAL_MS = 15_000
const START_MS = Date.UTC(2026, 10, 23)

let test: TestStore
const clock = {
  ms: START_MS,
  now() {
    return this.ms
  },
}
const opened: Monitoring[] = []

/** Opened again on the same store it is the server after a restart. */
function open(): Monitoring {
  const monitoring = createMonitoring({ store: test.store, clock, gatherMs: 2 })
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
  const layout = { chips: [`${nodeId}-a`, `${nodeId}-b`], metrics: METRICS }
  return { nodeId, layout, gaps: [], skewMs: 0, intervalMs: INTERVAL_MS }
}

const values = (utilization: number | null, celsius: number | null = 45.5) => [
  [utilization, 3 * 2 ** 30, celsius, 0],
  [0.25, null, 50, 7],
]
const samplesAt = (times: readonly number[]) => times.map((atMs, index) => ({ atMs, values: values((index % 7) / 10) }))

const every = (fromMs: number, count: number) =>
  Array.from({ length: count }, (_, index) => fromMs + index * INTERVAL_MS)

/** Times of a node's stored samples, by SQL: what is shown is rounded and merged. */
async function storedTimes(nodeId: string): Promise<readonly number[]> {
  const { rows } = await test.store.pool.query<{ at: string }>(
    'select at_ms as at from metric_raw join metric_nodes on number = node where node_id = $1 order by at_ms',
    [nodeId],
  )
  return rows.map(({ at }) => Number(at))
}

async function compactAll(monitoring: Monitoring): Promise<number> {
  const { hours, days } = await monitoring.compact(clock.ms)
  return hours + days === 0 ? 0 : hours + days + (await compactAll(monitoring))
}

const shown = (reading: { values: readonly (number | null)[] } | null, name: string) =>
  reading?.values[CHIP_METRICS.findIndex((metric) => metric.name === name)]

describe('a node that hands in samples', () => {
  it('shows the newest reading and the series, also after a restart', async () => {
    const from = node()
    const monitoring = open()
    clock.ms = START_MS + HOUR_MS
    const times = every(START_MS + HOUR_MS - 60_000, 5)
    await monitoring.ingest({ ...from, samples: samplesAt(times) })
    const reading = monitoring.latest(`${from.nodeId}-a`)
    expect(reading).toMatchObject({ nodeId: from.nodeId, atMs: times[4] })
    expect(shown(reading, 'utilizationRatio')).toBe(0.4)
    expect(shown(reading, 'powerWatts')).toBeNull()
    const chipUuid = `${from.nodeId}-a`
    const query = { nodeId: from.nodeId, chipUuid, metrics: ['utilizationRatio'], fromMs: START_MS, toMs: clock.ms + 1 }
    const [series] = await monitoring.series(query)
    expect(series).toMatchObject({ chipUuid, metric: 'utilizationRatio', resolution: 'raw', gaps: [] })
    expect(series?.points).toEqual(
      times.map((atMs, index) => ({ atMs, min: index / 10, mean: index / 10, max: index / 10, samples: 1 })),
    )
    const again = open()
    expect(await again.series(query)).toEqual([series])
    expect(again.latest(chipUuid)).toEqual(reading)
    expect(again.latest('nobody')).toBeNull()
  })

  it('may know metrics that we do not, and not know ours', async () => {
    const from = node()
    const monitoring = open()
    clock.ms = START_MS + HOUR_MS
    await monitoring.ingest({
      ...from,
      layout: { chips: from.layout.chips, metrics: ['flux', 'temperatureCelsius', 'utilizationRatio'] },
      samples: [
        {
          atMs: clock.ms,
          values: [
            [88, 40.04, null],
            [null, null],
          ],
        },
      ],
    })
    const again = open()
    await again.gaps({ nodeId: from.nodeId, fromMs: 0, toMs: 1 })
    expect(shown(again.latest(`${from.nodeId}-a`), 'temperatureCelsius')).toBe(40)
    expect(shown(again.latest(`${from.nodeId}-a`), 'utilizationRatio')).toBeNull()
    expect(again.latest(`${from.nodeId}-b`)?.values.every((value) => value === null)).toBe(true)
  })

  it('is stored once and at the same time over another connection, whose skew is measured a little otherwise', async () => {
    const from = node()
    const monitoring = open()
    clock.ms = START_MS + HOUR_MS
    const times = every(clock.ms - 120_000, 4)
    const samples = samplesAt(times.map((atMs) => atMs + HOUR_MS))
    await monitoring.ingest({ ...from, samples, skewMs: HOUR_MS })
    await open().ingest({ ...from, samples, skewMs: HOUR_MS + 1_234 })
    await monitoring.ingest({ ...from, samples, skewMs: HOUR_MS - 2_000 })
    expect(await storedTimes(from.nodeId)).toEqual(times)
    expect(monitoring.latest(`${from.nodeId}-a`)?.atMs).toBe(times[3])
  })

  it('is not taken for one whose clock was set because a frame was late', async () => {
    const from = node()
    const monitoring = open()
    const times = every(START_MS + HOUR_MS, 6)
    const lateMs = 12_000
    for (const [index, atMs] of times.entries()) {
      const delayMs = index === 2 || index === 3 ? lateMs : 0
      clock.ms = atMs + delayMs
      // Handed in again with the next, as after a cut.
      const samples = samplesAt(times.slice(Math.max(index - 1, 0), index + 1))
      await monitoring.ingest({ ...from, samples, skewMs: -delayMs })
    }
    expect(await storedTimes(from.nodeId)).toEqual(times)
  })

  it('is followed where its clock was really set back', async () => {
    const from = node()
    const monitoring = open()
    const times = every(START_MS + HOUR_MS, 8)
    const handIn = (atMs: number, skewMs: number) => {
      clock.ms = atMs
      return monitoring.ingest({ ...from, samples: samplesAt([atMs + skewMs]), skewMs })
    }
    // By an hour: seen at once. By twelve seconds: believed when three frames agree.
    for (const atMs of times.slice(0, 2)) await handIn(atMs, HOUR_MS)
    for (const atMs of times.slice(2, 4)) await handIn(atMs, 0)
    for (const atMs of times.slice(4)) await handIn(atMs, -12_000)
    expect(await storedTimes(from.nodeId)).toEqual([
      ...times.slice(0, 4),
      ...times.slice(4, 6).map((atMs) => atMs - 12_000),
      ...times.slice(6),
    ])
  })

  it('cannot put samples into the future', async () => {
    const from = node()
    const monitoring = open()
    clock.ms = START_MS + HOUR_MS
    await monitoring.ingest({ ...from, samples: samplesAt([clock.ms, clock.ms + DAY_MS]) })
    expect(await storedTimes(from.nodeId)).toEqual([clock.ms])
    expect(monitoring.latest(`${from.nodeId}-a`)?.atMs).toBe(clock.ms)
  })

  it('hears of a failure and loses nothing: what it sends again is stored', async () => {
    const from = [node(), node()]
    const monitoring = open()
    clock.ms = START_MS + HOUR_MS
    await monitoring.ingest({ ...node(), samples: samplesAt([clock.ms]) })
    const handIn = () =>
      Promise.allSettled(from.map((one) => monitoring.ingest({ ...one, samples: samplesAt([clock.ms]) })))
    await test.store.pool.query('alter table metric_work rename to metric_work_away')
    expect((await handIn()).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await test.store.pool.query('alter table metric_work_away rename to metric_work')
    expect((await handIn()).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
    for (const { nodeId } of from) expect(await storedTimes(nodeId)).toEqual([clock.ms])
  })

  it('does not cost others their samples when it hands in what cannot be stored', async () => {
    const all = [node(), node(), node(), node(), node()]
    const monitoring = open()
    clock.ms = START_MS + HOUR_MS
    const outcomes = await Promise.allSettled(
      all.map((one, index) => {
        const layout = index === 2 ? { chips: ['a\u0000b'], metrics: METRICS } : one.layout
        return monitoring.ingest({ ...one, layout, samples: samplesAt([clock.ms]) })
      }),
    )
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([true, true, false, true, true])
    expect(await storedTimes(all[4]?.nodeId ?? '')).toEqual([clock.ms])
  })
})

describe('history', () => {
  it('says as minutes and hours what the samples said, also for chips that came later', async () => {
    const from = node()
    const monitoring = open()
    clock.ms = START_MS + 3 * HOUR_MS
    const wider = { chips: [...from.layout.chips, `${from.nodeId}-c`], metrics: [...METRICS, 'powerWatts'] }
    await monitoring.ingest({ ...from, samples: samplesAt(every(START_MS + HOUR_MS, 300)) })
    await monitoring.ingest({
      ...from,
      layout: wider,
      samples: every(START_MS + HOUR_MS + 300 * INTERVAL_MS, 60).map((atMs) => ({
        atMs,
        values: [...values(1).map((row) => [...row, null]), [0.5, null, 60, 0, 123.4]],
      })),
    })
    const query = { nodeId: from.nodeId, chipUuid: `${from.nodeId}-a`, fromMs: START_MS, toMs: START_MS + 3 * HOUR_MS }
    const read = async (chipUuid: string, resolution: 'minute' | 'hour') =>
      (await monitoring.series({ ...query, chipUuid, metrics: wider.metrics, resolution })).map(({ points }) => points)
    const all = async () => [
      ...(await read(`${from.nodeId}-a`, 'minute')),
      ...(await read(`${from.nodeId}-a`, 'hour')),
      ...(await read(`${from.nodeId}-c`, 'minute')),
      ...(await read(`${from.nodeId}-c`, 'hour')),
    ]
    const before = await all()
    expect(before[0]).toHaveLength(90)
    expect(before[0]?.[0]).toMatchObject({ atMs: START_MS + HOUR_MS, min: 0, max: 0.3, samples: 4 })
    expect(before[4]).toEqual([])
    expect(before[5]).toHaveLength(2)
    expect(before.at(-1)).toMatchObject([{ atMs: START_MS + 2 * HOUR_MS, min: 123.4, mean: 123.4, samples: 60 }])
    clock.ms = START_MS + DAY_MS + HOUR_MS
    expect(await compactAll(monitoring)).toBeGreaterThanOrEqual(3)
    expect(await monitoring.compact(clock.ms)).toEqual({ hours: 0, days: 0 })
    // A stored mean is rounded to the step of its metric.
    expect(await all()).toEqual(
      before.map((points) => points.map((point) => ({ ...point, mean: expect.closeTo(point.mean ?? -1, 2) }))),
    )
    await test.store.pool.query('truncate metric_raw')
    expect((await read(`${from.nodeId}-a`, 'minute'))[0]).toHaveLength(90)
  })

  it('is made again where samples come late, and the gap is gone', async () => {
    const from = node()
    const monitoring = open()
    clock.ms = START_MS + 2 * HOUR_MS
    const times = every(START_MS, 240)
    const late = times.slice(100, 120)
    await monitoring.ingest({ ...from, samples: samplesAt(times.filter((atMs) => !late.includes(atMs))) })
    await compactAll(monitoring)
    const query = { nodeId: from.nodeId, chipUuid: `${from.nodeId}-a`, metrics: ['temperatureCelsius'] }
    // Up to the last sample: after it is a time without samples as well.
    const toMs = times.at(-1) ?? 0
    const hour = { ...query, fromMs: START_MS, toMs, resolution: 'minute' as const }
    const [before] = await monitoring.series(hour)
    expect(before?.points).toHaveLength(55)
    expect(before?.gaps).toEqual([{ fromMs: times[99], toMs: times[120], reason: 'unknown' }])
    // First those in the middle: the gap is parted, then vanishes.
    await monitoring.ingest({ ...from, samples: samplesAt(late.slice(5, 10)) })
    expect(await monitoring.gaps({ ...query, fromMs: START_MS, toMs })).toEqual([
      { fromMs: times[99], toMs: times[105], reason: 'unknown' },
      { fromMs: times[109], toMs: times[120], reason: 'unknown' },
    ])
    await monitoring.ingest({ ...from, samples: samplesAt(late) })
    const [atOnce] = await monitoring.series(hour)
    expect(atOnce).toMatchObject({ gaps: [] })
    expect(atOnce?.points).toHaveLength(60)
    expect(await compactAll(monitoring)).toBe(1)
    const [after] = await monitoring.series(hour)
    expect(after?.points).toEqual(atOnce?.points)
  })

  it('survives a compaction that ends in the middle', async () => {
    const all = Array.from({ length: 20 }, node)
    const monitoring = open()
    clock.ms = START_MS + HOUR_MS
    await Promise.all(all.map((one) => monitoring.ingest({ ...one, samples: samplesAt(every(START_MS + 60_000, 8)) })))
    clock.ms = START_MS + 2 * HOUR_MS
    const { pool } = test.store
    await pool.query(`create function refuse() returns trigger language plpgsql as $$ begin
      if new.node = (select number from metric_nodes where node_id = '${all[12]?.nodeId}') then raise 'no room'; end if;
      return new; end $$`)
    // Rows of partitions fire the triggers of their parent.
    await pool.query('create trigger refuse before insert on metric_minute for each row execute function refuse()')
    await expect(monitoring.compact(clock.ms)).rejects.toThrow('no room')
    await pool.query('drop trigger refuse on metric_minute')
    expect((await open().compact(clock.ms)).hours).toBeGreaterThan(0)
    for (const { nodeId } of all) {
      const [series] = await monitoring.series({
        nodeId,
        chipUuid: `${nodeId}-b`,
        metrics: ['eccErrorsUncorrected'],
        fromMs: START_MS,
        toMs: clock.ms,
        resolution: 'minute',
      })
      expect(series?.points.map(({ max, samples }) => [max, samples])).toEqual([
        [7, 4],
        [7, 4],
      ])
    }
  })

  it('leaves out what was damaged, and tells of it', async () => {
    const from = node()
    const told: unknown[] = []
    const monitoring = createMonitoring({ store: test.store, clock, gatherMs: 2, log: (_, error) => told.push(error) })
    opened.push(monitoring)
    clock.ms = START_MS + HOUR_MS
    const times = every(START_MS + 60_000, 3)
    await monitoring.ingest({ ...from, samples: samplesAt(times) })
    await test.store.pool.query('update metric_raw set payload = $1 where at_ms = $2', [
      Buffer.from([1, 255]),
      times[1],
    ])
    const query = {
      nodeId: from.nodeId,
      chipUuid: `${from.nodeId}-a`,
      metrics: METRICS,
      fromMs: START_MS,
      toMs: clock.ms,
    }
    const [series] = await monitoring.series(query)
    expect(series?.points.map(({ atMs }) => atMs)).toEqual([times[0], times[2]])
    expect(told).toEqual([expect.objectContaining({ name: 'DamagedReadings' })])
  })

  it('refuses what it cannot show, and says which field', async () => {
    const monitoring = open()
    const query = { nodeId: 'n', chipUuid: 'c', metrics: ['powerWatts'], fromMs: START_MS, toMs: START_MS + 1 }
    const refusal = async (change: Partial<Parameters<Monitoring['series']>[0]>) => {
      const error = await monitoring.series({ ...query, ...change }).catch((thrown: unknown) => thrown)
      return error instanceof AppError ? [error.code, error.errors[0]?.path] : error
    }
    expect(await refusal({ metrics: ['flux'] })).toEqual(['monitoring.metric.unknown', 'metrics'])
    expect(await refusal({ toMs: START_MS })).toEqual(['monitoring.range', 'from'])
    expect(await refusal({ fromMs: Number.NaN })).toEqual(['monitoring.range', 'from'])
    expect(await refusal({ toMs: START_MS + 3 * DAY_MS, resolution: 'raw' })).toEqual(['monitoring.range', 'to'])
    expect(await refusal({})).toMatchObject([{ metric: 'powerWatts', points: [], gaps: [] }])
  })
})

describe('times without samples', () => {
  it('lie inside one marked gap each, whatever the order of arrival, and no sample is stored twice', async () => {
    const step = fc.oneof(
      fc.constant(INTERVAL_MS),
      fc.integer({ min: 1_000, max: 40_000 }),
      fc.integer({ min: 30_000, max: 2 * HOUR_MS }),
    )
    const arrivals = fc.array(step, { minLength: 1, maxLength: 25 }).chain((steps) => {
      const times = steps.map((_, index) => START_MS + steps.slice(0, index + 1).reduce((sum, one) => sum + one, 0))
      return fc.record({
        times: fc.constant(times),
        order: fc.shuffledSubarray(times, { minLength: times.length }),
        repeats: fc.array(fc.constantFrom(...times), { maxLength: 10 }),
        size: fc.integer({ min: 1, max: 9 }),
        restarts: fc.boolean(),
      })
    })
    const tolerance = 2.5 * INTERVAL_MS
    await fc.assert(
      fc.asyncProperty(arrivals, async ({ times, order, repeats, size, restarts }) => {
        const from = node()
        clock.ms = Math.max(...times)
        let monitoring = open()
        const all = [...order, ...repeats]
        for (let at = 0; at < all.length; at += size) {
          if (restarts) monitoring = open()
          await monitoring.ingest({ ...from, samples: samplesAt(all.slice(at, at + size)) })
        }
        const inOrder = [...times].sort((a, b) => a - b)
        expect(await storedTimes(from.nodeId)).toEqual(inOrder)
        const gaps = await monitoring.gaps({ nodeId: from.nodeId, fromMs: 0, toMs: clock.ms })
        const holes = inOrder.slice(1).flatMap((toMs, index) => {
          const fromMs = inOrder[index] ?? toMs
          return toMs - fromMs > tolerance ? [{ fromMs, toMs, reason: 'unknown' }] : []
        })
        expect(gaps).toEqual(holes)
      }),
      { numRuns: 30 },
    )
  }, 120_000)

  it('are told together where they are more than a picture shows, and none is left out', async () => {
    const from = node()
    const monitoring = open()
    clock.ms = START_MS + HOUR_MS
    await monitoring.ingest({ ...from, samples: samplesAt([clock.ms]) })
    // Two years of a node that misses a few samples every hour, and an agent that tells of it every time.
    const period = { nodeId: from.nodeId, fromMs: START_MS - 700 * DAY_MS, toMs: START_MS }
    for (const table of ['metric_gaps (node, from_ms, to_ms)', 'metric_gap_reports (node, from_ms, to_ms, reason)']) {
      await test.store.pool.query(`insert into ${table}
        select number, at, at + 60000 ${table.includes('reason') ? ", 'buffer-full'" : ''} from metric_nodes,
        generate_series(${period.fromMs}::bigint, ${period.toMs - 1}, ${HOUR_MS}) as at
        where node_id = '${from.nodeId}'`)
    }
    const gaps = await monitoring.gaps(period)
    expect(gaps.length).toBeLessThanOrEqual(1_501)
    expect(new Set(gaps.map(({ reason }) => reason))).toEqual(new Set(['buffer-full']))
    const covered = (atMs: number) => gaps.some(({ fromMs, toMs }) => fromMs <= atMs && atMs + 60_000 <= toMs)
    const all = Array.from({ length: 700 * 24 }, (_, hour) => period.fromMs + hour * HOUR_MS)
    expect(all.filter((atMs) => !covered(atMs))).toEqual([])
    const day = { ...period, toMs: period.fromMs + DAY_MS }
    expect(await monitoring.gaps(day)).toHaveLength(24)
  })

  it('of one chip are marked where its node sent on without it, at every resolution', async () => {
    const from = node()
    const monitoring = open()
    clock.ms = START_MS + 3 * HOUR_MS
    const times = every(START_MS + 60_000, 600)
    const hung = { fromMs: START_MS + 40 * 60_000, toMs: START_MS + 140 * 60_000 }
    const isHung = (atMs: number) => atMs > hung.fromMs - INTERVAL_MS && atMs < hung.toMs
    await monitoring.ingest({
      ...from,
      samples: times.map((atMs) => ({
        atMs,
        values: [isHung(atMs) ? METRICS.map(() => null) : [0.5, 1, 40, 0], [0.25, null, 50, 7]],
      })),
    })
    const [firstMs, lastMs] = [times[0] ?? 0, times.at(-1) ?? 0]
    const gapsAt = async (chip: string, resolution: 'raw' | 'minute' | 'hour', fromMs = firstMs, toMs = lastMs) => {
      const query = { nodeId: from.nodeId, chipUuid: `${from.nodeId}-${chip}`, fromMs, toMs, resolution }
      return (await monitoring.series({ ...query, metrics: METRICS })).map(({ gaps }) => gaps)
    }
    const all = (gap: object) => METRICS.map(() => [{ ...gap, reason: 'not-read' }])
    expect(await gapsAt('a', 'raw')).toEqual(all({ ...hung, fromMs: hung.fromMs - INTERVAL_MS }))
    expect(await gapsAt('a', 'minute')).toEqual(all(hung))
    expect(await gapsAt('a', 'hour')).toEqual(all({ fromMs: START_MS + HOUR_MS, toMs: START_MS + 2 * HOUR_MS }))
    // It hangs through the whole period, and into its end.
    const within = { fromMs: hung.fromMs + 600_000, toMs: hung.fromMs + 1_200_000 }
    expect(await gapsAt('a', 'minute', within.fromMs, within.toMs)).toEqual(all(within))
    expect(await gapsAt('a', 'minute', firstMs, within.toMs)).toEqual(all({ ...hung, toMs: within.toMs }))
    // What a chip never tells is not missing.
    expect(await gapsAt('b', 'minute')).toEqual([[], [], [], []])
  })

  it('carry the reason that the agent gives, and one that it fills later is gone', async () => {
    const from = node()
    const monitoring = open()
    const times = every(START_MS, 100)
    clock.ms = (times[99] ?? 0) + INTERVAL_MS
    const [lastMs, nextMs] = [times[40] ?? 0, times[60] ?? 0]
    const missing = { fromMs: lastMs, toMs: nextMs }
    await monitoring.ingest({ ...from, samples: samplesAt(times.slice(0, 41)) })
    await monitoring.ingest({
      ...from,
      samples: samplesAt(times.slice(60)),
      gaps: [{ fromMs: lastMs + 1_000, toMs: nextMs, reason: 'agent-stopped' }],
    })
    const all = { nodeId: from.nodeId, fromMs: START_MS, toMs: clock.ms }
    expect(await monitoring.gaps(all)).toEqual([{ ...missing, reason: 'agent-stopped' }])
    expect(await open().gaps({ ...all, fromMs: nextMs - 1 })).toHaveLength(1)
    await monitoring.ingest({ ...from, samples: samplesAt(times.slice(41, 60)) })
    expect(await monitoring.gaps(all)).toEqual([])
    // No sample has come since: the time up to now is one as well.
    clock.ms += HOUR_MS
    expect(await monitoring.gaps({ ...all, toMs: clock.ms })).toEqual([
      { fromMs: times[99], toMs: clock.ms, reason: 'unknown' },
    ])
  })
})
