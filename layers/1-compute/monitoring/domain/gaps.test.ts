import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { explainedGaps, type Timeline, toleranceOf, withLostSamples, withSamples } from './gaps.ts'

const INTERVAL_MS = 10
const TOLERANCE_MS = toleranceOf(INTERVAL_MS)
const NOTHING: Timeline = { firstMs: null, newestMs: null, holes: [] }

const times = fc.uniqueArray(fc.integer({ min: 0, max: 600 }), { minLength: 1, maxLength: 60 })

/** Neighbours further apart than the tolerance, the plain way. */
function holesOf(all: readonly number[]) {
  const sorted = [...all].sort((a, b) => a - b)
  return sorted.slice(1).flatMap((toMs, index) => {
    const fromMs = sorted[index] ?? toMs
    return toMs - fromMs > TOLERANCE_MS ? [{ fromMs, toMs }] : []
  })
}

describe('times without samples', () => {
  it('are the same whatever the order, the batches and the repeats in which samples come', () => {
    const arrivals = times.chain((all) =>
      fc.record({
        all: fc.constant(all),
        batches: fc
          .tuple(
            fc.shuffledSubarray(all, { minLength: all.length }),
            fc.array(fc.constantFrom(...all), { maxLength: 20 }),
            fc.integer({ min: 1, max: 10 }),
          )
          .map(([order, repeats, size]) =>
            [...order, ...repeats].map((at, index) => ({ at, batch: Math.floor(index / size) })),
          ),
      }),
    )
    fc.assert(
      fc.property(arrivals, ({ all, batches }) => {
        const timeline = [...Map.groupBy(batches, ({ batch }) => batch).values()].reduce(
          (before, batch) =>
            withSamples(
              before,
              batch.map(({ at }) => at),
              TOLERANCE_MS,
            ),
          NOTHING,
        )
        expect([...timeline.holes].sort((a, b) => a.fromMs - b.fromMs)).toEqual(holesOf(all))
        expect(timeline.firstMs).toBe(Math.min(...all))
        expect(timeline.newestMs).toBe(Math.max(...all))
      }),
    )
  })

  it('begin where samples came too late to be kept', () => {
    const late = withLostSamples(NOTHING, [300, 100], TOLERANCE_MS)
    expect(withSamples(late, [500, 510], TOLERANCE_MS).holes).toEqual([{ fromMs: 100, toMs: 500 }])
    const known = withSamples(NOTHING, [500, 510], TOLERANCE_MS)
    expect(withLostSamples(known, [300, 100], TOLERANCE_MS)).toEqual({
      firstMs: 100,
      newestMs: 510,
      holes: [{ fromMs: 100, toMs: 500 }],
    })
  })

  it('carry the reason that explains most of them, and are not told of twice', () => {
    const holes = [{ fromMs: 100, toMs: 200 }]
    const told = { filled: false }
    expect(
      explainedGaps(holes, [
        { ...told, fromMs: 90, toMs: 110, reason: 'buffer-full' },
        { ...told, fromMs: 110, toMs: 195, reason: 'agent-stopped' },
        { ...told, fromMs: 300, toMs: 310, reason: 'clock-jumped' },
        { fromMs: 400, toMs: 500, reason: 'agent-stopped', filled: true },
      ]),
    ).toEqual([
      { fromMs: 100, toMs: 200, reason: 'agent-stopped' },
      { fromMs: 300, toMs: 310, reason: 'clock-jumped' },
    ])
    expect(explainedGaps(holes, [])).toEqual([{ fromMs: 100, toMs: 200, reason: 'unknown' }])
  })
})
