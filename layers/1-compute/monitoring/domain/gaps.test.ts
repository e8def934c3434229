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

  it('and their reasons are found in one walk, the same as by comparing all with all', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })), { maxLength: 30 })
    const spans = steps.map((all) => {
      let atMs = 0
      return all.map(([pauseMs, lengthMs]) => {
        const fromMs = atMs + pauseMs
        atMs = fromMs + lengthMs
        return { fromMs, toMs: atMs }
      })
    })
    const reasons = fc.constantFrom('agent-stopped', 'buffer-full')
    const reports = fc
      .tuple(spans, fc.infiniteStream(fc.record({ reason: reasons, filled: fc.boolean() })))
      .map(([all, told]) => all.map((span) => ({ ...span, ...(told.next().value ?? expect.fail('endless')) })))
    fc.assert(
      fc.property(spans, reports, (holes, told) => {
        const shared = (a: (typeof holes)[number], b: (typeof holes)[number]) =>
          Math.min(a.toMs, b.toMs) - Math.max(a.fromMs, b.fromMs)
        const explained = holes.map((hole) => {
          const best = Math.max(...told.map((report) => shared(hole, report)), 0)
          const found = best === 0 ? undefined : told.find((report) => shared(hole, report) === best)
          return { ...hole, reason: found?.reason ?? 'unknown' }
        })
        const alone = told
          .filter((report) => !report.filled && holes.every((hole) => shared(hole, report) <= 0))
          .map(({ fromMs, toMs, reason }) => ({ fromMs, toMs, reason }))
        const plain = [...explained, ...alone].sort((a, b) => a.fromMs - b.fromMs || a.toMs - b.toMs)
        expect(explainedGaps([...holes].reverse(), told)).toEqual(plain)
      }),
    )
  })

  it('told of twice have the reason told first', () => {
    const told = [
      { fromMs: 0, toMs: 50, reason: 'agent-stopped', filled: false },
      { fromMs: 10, toMs: 60, reason: 'buffer-full', filled: false },
      { fromMs: 20, toMs: 30, reason: 'clock-jumped', filled: false },
    ]
    expect(explainedGaps([{ fromMs: 5, toMs: 58 }], told)).toEqual([{ fromMs: 5, toMs: 58, reason: 'agent-stopped' }])
  })
})
