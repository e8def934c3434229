import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fittingResolution, gatherPoints, MOST_POINTS, pointWidth } from './period.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const NOW_MS = Date.UTC(2026, 10, 23, 12)

describe('the resolution of a period', () => {
  it.each([
    ['the last six hours', 6 * HOUR_MS, 0, 'raw'],
    ['the last day', DAY_MS, 0, 'minute'],
    ['an hour two days ago', HOUR_MS, 2 * DAY_MS, 'minute'],
    ['four days', 4 * DAY_MS, 0, 'minute'],
    ['a month', 30 * DAY_MS, 0, 'hour'],
    ['an hour two months ago', HOUR_MS, 60 * DAY_MS, 'hour'],
  ])('%s', (_, rangeMs, agoMs, resolution) => {
    expect(fittingResolution(NOW_MS - agoMs - rangeMs, NOW_MS - agoMs, NOW_MS)).toBe(resolution)
  })
})

describe('the points of a series', () => {
  it('are bounded, whole units wide, and lose no reading', () => {
    const period = fc.record({
      from: fc.nat(1e12),
      range: fc.integer({ min: 1, max: 730 * DAY_MS }),
      unit: fc.constantFrom(60_000, HOUR_MS),
    })
    fc.assert(
      fc.property(period, fc.array(fc.nat(1e6), { maxLength: 50 }), ({ from, range, unit }, places) => {
        const width = pointWidth(from, from + range, unit)
        expect(width % unit).toBe(0)
        const last = Math.floor((from + range - 1) / width)
        expect(last - Math.floor(from / width) + 1).toBeLessThanOrEqual(MOST_POINTS)
        const points = gatherPoints(width)
        for (const place of places)
          points.add(from + Math.floor((place / 1e6) * (range - 1)), { count: 2, min: 1, mean: 2, max: 3 })
        const made = points.finish()
        expect(made.reduce((sum, { samples }) => sum + samples, 0)).toBe(places.length * 2)
        expect(made.map(({ atMs }) => atMs)).toEqual(made.map(({ atMs }) => atMs).sort((a, b) => a - b))
      }),
    )
  })
})
