import type { SampleGap, SampleLayout } from '@medley/monitoring/protocol'

/** What one kept sample costs beside its values, bytes. */
const SAMPLE_OVERHEAD_BYTES = 200
const MOST_GAPS = 100

/** One round of readings. Values are kept flat (row after row) and `NaN` for unknown: eight bytes each. */
export interface KeptSample {
  readonly atMs: number
  readonly layout: SampleLayout
  readonly values: Float64Array
}

export interface BufferLimits {
  readonly maxAgeMs: number
  readonly maxBytes: number
}

export interface Batch {
  readonly layout: SampleLayout | null
  readonly samples: readonly KeptSample[]
  readonly gaps: readonly SampleGap[]
}

export interface SampleBuffer {
  /** Drops the oldest where there is no room, and keeps the time they covered as a gap. */
  push(sample: KeptSample): void
  addGap(gap: SampleGap): void
  /** The oldest samples of one layout and all gaps; they stay until {@link SampleBuffer.forget}. */
  batch(most: { readonly samples: number; readonly values: number }): Batch
  /** The server has these. */
  forget(batch: Batch): void
  /**
   * The clock by which the times were taken was set: they are told by the new one. What a batch handed out keeps its
   * times, also after a failure: the server may have it, and knows it again by these.
   */
  shift(byMs: number): void
  readonly bytes: number
  readonly length: number
  readonly isEmpty: boolean
}

/** Samples the server has not yet, oldest first, bounded by age and by size. */
export function createSampleBuffer(limits: BufferLimits): SampleBuffer {
  let samples: KeptSample[] = []
  let gaps: SampleGap[] = []
  let bytes = 0
  const handedOut = new WeakSet<KeptSample | SampleGap>()

  const addGap = (gap: SampleGap): void => {
    const last = gaps.findLastIndex(({ reason }) => reason === gap.reason)
    const before = gaps[last]
    // One long gap instead of one for each sample that was dropped.
    if (before && gap.fromMs <= before.toMs && gap.fromMs >= before.fromMs)
      gaps = gaps.with(last, { ...before, toMs: Math.max(before.toMs, gap.toMs) })
    else gaps = [...gaps, gap]
    if (gaps.length > MOST_GAPS) gaps = [joinOldest(gaps), ...gaps.slice(2)]
  }
  const dropOldest = (): void => {
    const [oldest, next] = samples
    if (!oldest || !next) return
    samples.shift()
    bytes -= sizeOf(oldest)
    addGap({ fromMs: oldest.atMs, toMs: next.atMs, reason: 'buffer-full' })
  }

  return {
    push: (sample) => {
      samples.push(sample)
      bytes += sizeOf(sample)
      const tooOld = (): boolean => sample.atMs - (samples[0]?.atMs ?? sample.atMs) > limits.maxAgeMs
      while (samples.length > 1 && (bytes > limits.maxBytes || tooOld())) dropOldest()
    },
    addGap,
    batch: (most) => {
      const layout = samples[0]?.layout ?? null
      let values = 0
      const other = samples.findIndex((sample, index) => {
        values += sample.values.length
        return sample.layout !== layout || index >= most.samples || (index > 0 && values > most.values)
      })
      const batch = { layout, samples: other < 0 ? [...samples] : samples.slice(0, other), gaps }
      for (const each of [...batch.samples, ...batch.gaps]) handedOut.add(each)
      return batch
    },
    forget: (batch) => {
      const stored = new Set(batch.samples)
      const told = new Set(batch.gaps)
      samples = samples.filter((sample) => !stored.has(sample))
      bytes = samples.reduce((sum, sample) => sum + sizeOf(sample), 0)
      gaps = gaps.filter((gap) => !told.has(gap))
    },
    shift: (byMs) => {
      const later = (ms: number): number => Math.max(0, ms + byMs)
      samples = samples.map((each) => (handedOut.has(each) ? each : { ...each, atMs: later(each.atMs) }))
      gaps = gaps.map((each) =>
        handedOut.has(each) ? each : { ...each, fromMs: later(each.fromMs), toMs: later(each.toMs) },
      )
    },
    get bytes() {
      return bytes
    },
    get length() {
      return samples.length
    },
    get isEmpty() {
      return samples.length === 0 && gaps.length === 0
    },
  }
}

function sizeOf(sample: KeptSample): number {
  return sample.values.byteLength + SAMPLE_OVERHEAD_BYTES
}

/** Too many to tell apart: the two oldest become one that covers both. */
function joinOldest([first, second]: readonly SampleGap[]): SampleGap {
  if (!first || !second) throw new RangeError('two gaps at least')
  return { ...first, fromMs: Math.min(first.fromMs, second.fromMs), toMs: Math.max(first.toMs, second.toMs) }
}
