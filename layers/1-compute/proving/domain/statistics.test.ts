import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bootstrapInterval, expandedTail, mean, quantile, resample, seededRandom, variation } from './statistics.ts'

const values = fc.array(fc.double({ min: 0.1, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 20 })

describe('statistics', () => {
  it('refuses to average nothing', () => {
    expect(() => mean([])).toThrow(RangeError)
    expect(() => quantile([], 0.5)).toThrow(RangeError)
  })

  it('knows the sample deviation and the interpolated quantile of a small list', () => {
    expect(variation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(2.138 / 5, 3)
    expect(variation([3])).toBeNull()
    expect(variation([-1, 1])).toBeNull()
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5)
    expect(quantile([4, 1, 3, 2], 1)).toBe(4)
  })

  it('resamples only what is there', () => {
    fc.assert(
      fc.property(values, fc.nat(), (list, seed) => {
        const drawn = resample(list, seededRandom(seed))
        expect(drawn).toHaveLength(list.length)
        expect(drawn.every((value) => list.includes(value))).toBe(true)
      }),
    )
  })

  it('gives numbers in [0, 1) that depend on the seed alone and fill the range', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const [first, second] = [seededRandom(seed), seededRandom(seed)]
        const drawn = Array.from({ length: 200 }, () => first())
        expect(drawn).toEqual(Array.from({ length: 200 }, () => second()))
        expect(drawn.every((value) => value >= 0 && value < 1)).toBe(true)
        expect(new Set(drawn.map((value) => Math.floor(value * 4))).size).toBe(4)
      }),
    )
  })

  it('gives an interval that contains the point', () => {
    fc.assert(
      fc.property(values, fc.nat(), (list, seed) => {
        const point = mean(list)
        const statistic = (random: () => number): number => mean(resample(list, random))
        const interval = bootstrapInterval(point, statistic, { resamples: 100, count: list.length }, seededRandom(seed))
        expect(interval.low).toBeLessThanOrEqual(point)
        expect(interval.high).toBeGreaterThanOrEqual(point)
      }),
    )
  })

  it('takes the tails of the normal for many values and nearly the whole range for five', () => {
    expect(expandedTail(1_000_000)).toBeCloseTo(0.025, 4)
    // 1 - Phi(sqrt(5 / 4) * 2.776) = 0.00096
    expect(expandedTail(5)).toBeCloseTo(0.00096, 4)
    expect(expandedTail(1)).toBe(0)
  })

  it('covers the truth about as often as it says, also with five values', () => {
    const random = seededRandom(1)
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    const trials = 400
    let covered = 0
    for (let trial = 0; trial < trials; trial += 1) {
      const list = Array.from({ length: 5 }, normal)
      const statistic = (source: () => number): number => mean(resample(list, source))
      const { low, high } = bootstrapInterval(mean(list), statistic, { resamples: 400, count: 5 }, random)
      if (low <= 0 && high >= 0) covered += 1
    }
    // The plain percentile interval covers about 0.82 here.
    expect(covered / trials).toBeGreaterThan(0.87)
  })
})
