import { rename, writeFile } from 'node:fs/promises'
import type { ChipFacts } from '@medley/fleet/protocol'
import type { SampleLayout } from '@medley/monitoring/protocol'
import { z } from 'zod'
import { readJson } from '../state-files.ts'
import type { Channel } from '../sync/channel.ts'
import { type BufferLimits, createSampleBuffer } from './buffer.ts'
import { type HostClock, hostClock, watchClock } from './clock.ts'
import { flatReadings, metricsOf, rowsOf } from './readings.ts'

const USUAL_INTERVAL_MS = 15_000
/** More than this many intervals without a sample is a gap and not a late timer. */
const LATE_INTERVALS = 1.5
/** Of one message: far below the longest frame. */
const MOST_IN_BATCH = { samples: 240, values: 200_000 }

const stateSchema = z.object({ lastStoredMs: z.number().nonnegative(), intervalMs: z.number().positive() })
/** Until when the server has everything, and how often it wants readings. */
export type TelemetryState = z.infer<typeof stateSchema>

export interface TelemetryOptions {
  readonly channel: Pick<Channel, 'connected' | 'layout' | 'store'>
  readonly chips: () => readonly ChipFacts[]
  /** Spreads nodes over the interval: the server is not hit by all of them in one instant. */
  readonly phaseKey: string
  /** What {@link loadTelemetryState} found. */
  readonly state: TelemetryState | null
  readonly saveState: (state: TelemetryState) => Promise<void>
  readonly limits: BufferLimits
  readonly clock?: HostClock
}

export interface Telemetry {
  /** A connection stands; from now on one sample per interval. */
  welcomed(sampleIntervalMs: number): void
  /** Samples that the server has not yet. */
  readonly waiting: number
  stop(): void
}

/**
 * Takes all readings of the node once per interval and hands them in until the server has them. Whatever is missing is
 * told as a gap: the time before this start, what had to be dropped, a sleep of the host, a set clock.
 */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  const clock = options.clock ?? hostClock
  const buffer = createSampleBuffer(options.limits)
  const jumped = watchClock(clock)
  let intervalMs = options.state?.intervalMs ?? USUAL_INTERVAL_MS
  let lastStoredMs = options.state?.lastStoredMs ?? null
  /** Up to when there are samples, by this process or the one before. */
  let lastMs = lastStoredMs
  // Samples of a time to come: the clock was set back while no agent ran, and by how much nobody knows.
  const wasAhead = lastStoredMs !== null && lastStoredMs > clock.now()
  if (wasAhead) {
    lastStoredMs = null
    lastMs = null
    const atMs = Math.max(0, clock.now())
    buffer.addGap({ fromMs: Math.max(0, atMs - intervalMs), toMs: atMs, reason: 'clock-jumped' })
  }
  let layout: SampleLayout = { chips: [], metrics: [] }
  let told: SampleLayout | null = null
  let pumping = false
  let stopped = false
  let timer: NodeJS.Timeout | undefined

  const slotAt = (nowMs: number): number => {
    const phase = phaseOf(options.phaseKey, intervalMs)
    return Math.floor((nowMs - phase) / intervalMs) * intervalMs + phase
  }
  const arm = (): void => {
    clearTimeout(timer)
    const nowMs = clock.now()
    timer = setTimeout(take, Math.max(1, slotAt(nowMs) + intervalMs - nowMs))
  }

  const followClock = (atMs: number): void => {
    const jump = jumped()
    if (jump === null) return
    buffer.shift(jump.setByMs)
    if (lastStoredMs !== null) lastStoredMs += jump.setByMs
    if (lastMs === null) return
    lastMs += jump.setByMs
    if (lastMs < atMs) buffer.addGap({ fromMs: Math.max(0, lastMs), toMs: atMs, reason: 'clock-jumped' })
    lastMs = atMs - intervalMs
  }

  const take = (): void => {
    if (stopped) return
    const atMs = slotAt(clock.now())
    followClock(atMs)
    const missed = lastMs !== null && atMs - lastMs > LATE_INTERVALS * intervalMs
    if (lastMs !== null && missed) buffer.addGap({ fromMs: lastMs, toMs: atMs, reason: 'agent-stopped' })
    // A timer may fire a little early: one sample per interval all the same.
    if (lastMs === null || atMs > lastMs) {
      const chips = options.chips()
      layout = layoutOf(chips, layout)
      if (chips.length > 0) buffer.push({ atMs, layout, values: flatReadings(chips, layout) })
      lastMs = atMs
    }
    arm()
    void pump()
  }

  const pump = async (): Promise<void> => {
    if (pumping) return
    pumping = true
    try {
      // Gaps go with samples: without these there is no layout yet, and nothing to be missed.
      while (!stopped && options.channel.connected && buffer.length > 0) await handIn()
    } catch {
      // They stay, and are handed in again with the next sample or the next connection.
    } finally {
      pumping = false
    }
  }

  const handIn = async (): Promise<void> => {
    const batch = buffer.batch(MOST_IN_BATCH)
    if (batch.layout !== null && batch.layout !== told) {
      options.channel.layout(batch.layout)
      told = batch.layout
    }
    const columns = batch.layout?.metrics.length ?? 0
    await options.channel.store({
      samples: batch.samples.map(({ atMs, values }) => ({ atMs, values: rowsOf(values, columns) })),
      gaps: batch.gaps,
    })
    buffer.forget(batch)
    const newest = batch.samples.at(-1)
    if (newest === undefined) return
    // By the clock of now: what was in flight keeps the times of a clock that was set meanwhile.
    lastStoredMs = Math.min(newest.atMs, lastMs ?? newest.atMs)
    await options.saveState({ lastStoredMs, intervalMs })
  }

  arm()
  return {
    welcomed: (sampleIntervalMs) => {
      told = null
      if (sampleIntervalMs !== intervalMs) {
        intervalMs = sampleIntervalMs
        arm()
      }
      void pump()
    },
    get waiting() {
      return buffer.length
    },
    stop: () => {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** The earlier layout itself while it still fits: what has not changed is not told again. */
function layoutOf(chips: readonly ChipFacts[], before: SampleLayout): SampleLayout {
  const uuids = chips.map(({ uuid }) => uuid)
  const seen = new Set(metricsOf(chips))
  // A metric stays once it was seen: a reading that comes and goes would change the layout each time.
  const same = uuids.length === before.chips.length && uuids.every((uuid, row) => uuid === before.chips[row])
  if (same && [...seen].every((name) => before.metrics.includes(name))) return before
  return { chips: uuids, metrics: [...new Set([...(same ? before.metrics : []), ...seen])] }
}

/** FNV-1a, 32 bits (IETF draft-eastlake-fnv): spreads keys that differ in one letter. */
function phaseOf(key: string, intervalMs: number): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash % intervalMs
}

/** Null at the first start, and when the file is not whole. */
export async function loadTelemetryState(file: string): Promise<TelemetryState | null> {
  const kept = stateSchema.safeParse(await readJson(file))
  return kept.success ? kept.data : null
}

/** Whole or not at all, but not synced: after a power cut the gap starts a little earlier. */
export async function saveTelemetryState(file: string, state: TelemetryState): Promise<void> {
  try {
    await writeFile(`${file}.tmp`, JSON.stringify(state), { mode: 0o600 })
    await rename(`${file}.tmp`, file)
  } catch {
    // A full disk: telemetry itself goes on.
  }
}
