import { createDrivers } from '@medley/drivers'
import type { ChipFacts } from '@medley/fleet/protocol'
import type { SampleGap, SampleLayout } from '@medley/monitoring/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { createDriverHost } from '../discovery/host.ts'
import { until } from '../fixtures/factory.ts'
import type { SampleBatch } from '../sync/channel.ts'
import type { HostClock } from './clock.ts'
import { readingOf } from './readings.ts'
import { startTelemetry, type TelemetryState } from './telemetry.ts'

const INTERVAL_MS = 60
const undo: (() => void)[] = []
afterEach(() => {
  for (const step of undo.splice(0)) step()
})

async function chipOfThisMachine(): Promise<ChipFacts> {
  const driver = createDrivers().find(({ name }) => name === 'cpu')
  const [chip] = (await driver?.read(createDriverHost(), [])) ?? []
  if (!chip) throw new Error('no chip')
  return chip
}

/** Time as the host tells it; a test may set it or let the host sleep. */
function hostOfTest() {
  let setBy = 0
  let slept = 0
  const clock: HostClock = {
    now: () => Math.round(1_000_000 + performance.now() + setBy + slept),
    sinceBoot: () => performance.now() + slept,
    awake: () => performance.now(),
  }
  return {
    clock,
    set: (ms: number) => {
      setBy += ms
    },
    sleep: (ms: number) => {
      slept += ms
    },
  }
}

async function setUp(state: TelemetryState | null = null, maxBytes = 1e6) {
  const chips = [await chipOfThisMachine()]
  const host = hostOfTest()
  const got = { layouts: [] as SampleLayout[], times: [] as number[], gaps: [] as SampleGap[], state, batches: 0 }
  const link = { connected: true, works: true }
  const telemetry = startTelemetry({
    channel: {
      get connected() {
        return link.connected
      },
      layout: (layout) => got.layouts.push(layout),
      store: async ({ samples, gaps }: SampleBatch) => {
        if (!link.works) throw new Error('cut')
        got.batches += 1
        got.times.push(...samples.map(({ atMs }) => atMs))
        got.gaps.push(...gaps)
      },
    },
    chips: () => chips,
    phaseKey: 'node',
    state,
    saveState: async (kept) => {
      got.state = kept
    },
    limits: { maxAgeMs: 3_600_000, maxBytes },
    clock: host.clock,
  })
  undo.push(telemetry.stop)
  telemetry.welcomed(INTERVAL_MS)
  return { chips, host, got, link, telemetry }
}

describe('telemetry', { timeout: 60_000 }, () => {
  it('hands in one sample per interval, at the times of its own phase, and names columns only once', async () => {
    const { got } = await setUp()
    await until('samples', () => got.times.length > 4)
    const phases = new Set(got.times.map((atMs) => atMs % INTERVAL_MS))
    expect(phases.size).toBe(1)
    expect(new Set(got.times).size).toBe(got.times.length)
    expect(got.layouts).toHaveLength(1)
    expect(got.layouts[0]?.metrics).toContain('memoryTotalBytes')
    expect(got.state).toEqual({ lastStoredMs: got.times.at(-1), intervalMs: INTERVAL_MS })
  })

  it('keeps samples while nobody takes them, and hands in all of them afterwards', async () => {
    const { got, link, telemetry } = await setUp()
    link.works = false
    await until('waiting', () => telemetry.waiting > 5)
    link.connected = false
    link.works = true
    link.connected = true
    telemetry.welcomed(INTERVAL_MS)
    await until('handed in', () => telemetry.waiting === 0 && got.times.length > 5)
    expect(got.times).toEqual([...got.times].sort((left, right) => left - right))
    expect(got.layouts.length).toBeGreaterThan(0)
    expect(got.gaps.filter(({ reason }) => reason !== 'agent-stopped')).toEqual([])
  })

  it('tells the oldest as a gap where there is no room for all', async () => {
    const { got, link, telemetry } = await setUp(null, 1_200)
    link.connected = false
    await until('full', () => telemetry.waiting >= 3)
    await new Promise((resolve) => setTimeout(resolve, 6 * INTERVAL_MS))
    link.connected = true
    await until('handed in', () => got.gaps.some(({ reason }) => reason === 'buffer-full') && got.times.length > 2)
    const gap = got.gaps.find(({ reason }) => reason === 'buffer-full')
    expect(gap?.toMs).toBe(got.times[0])
    expect((gap?.toMs ?? 0) - (gap?.fromMs ?? 0)).toBeGreaterThanOrEqual(INTERVAL_MS)
  })

  it('tells how long no agent ran', async () => {
    const lastStoredMs = 500_000
    const { got } = await setUp({ lastStoredMs, intervalMs: INTERVAL_MS })
    await until('samples', () => got.times.length > 0)
    expect(got.gaps[0]).toEqual({ fromMs: lastStoredMs, toMs: got.times[0], reason: 'agent-stopped' })
  })

  it('goes on at once where the clock was ahead before the start, and tells so', async () => {
    const { got } = await setUp({ lastStoredMs: 1_000_000 + 86_400_000, intervalMs: INTERVAL_MS })
    await until('samples', () => got.times.length > 1)
    expect(got.gaps).toMatchObject([{ reason: 'clock-jumped' }])
    const [gap] = got.gaps
    expect(gap?.toMs).toBeLessThanOrEqual(got.times[0] ?? 0)
    expect(got.state?.lastStoredMs).toBeLessThan(1_000_000 + 86_400_000)
  })

  it('tells of a sleep and of a clock set forward or back, and goes on', async () => {
    const { got, host } = await setUp()
    const jumps = (): readonly SampleGap[] => got.gaps.filter(({ reason }) => reason === 'clock-jumped')
    await until('samples', () => got.times.length > 1)
    host.sleep(600_000)
    await until('slept', () => jumps().length === 1)
    const [slept] = jumps()
    expect((slept?.toMs ?? 0) - (slept?.fromMs ?? 0)).toBeGreaterThan(590_000)
    host.set(-300_000)
    await until('set back', () => jumps().length === 2)
    const before = got.times.length
    await until('goes on', () => got.times.length > before + 2)
    host.set(86_400_000)
    await until('set forward', () => jumps().length === 3)
    // The times before were told by a wrong clock: only the sleep is long.
    for (const gap of jumps().slice(1)) expect(gap.toMs - gap.fromMs).toBeLessThan(300_000)
  })
})

describe('readings', () => {
  it('are what the chip says, and null for what it does not', async () => {
    const chip = await chipOfThisMachine()
    expect(readingOf(chip, 'memoryTotalBytes')).toBe(chip.memoryTotalBytes)
    expect(readingOf({ ...chip, sensors: { clockHertz: 5 } }, 'clockHertz')).toBe(5)
    expect(readingOf(chip, 'fanRatio')).toBeNull()
    expect(readingOf({ ...chip, health: 'lost' }, 'healthRatio')).toBe(0)
    expect(readingOf({ ...chip, health: 'unknown' }, 'healthRatio')).toBeNull()
  })
})
