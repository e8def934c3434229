import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSkew } from './skew.ts'

describe('a clock’s skew', () => {
  it('is not known before the first frame, and is that frame’s then', () => {
    const skew = createSkew()
    expect(skew.valueMs).toBeNull()
    expect([skew.take(-420_000), skew.valueMs]).toEqual([-420_000, -420_000])
  })

  it('lies between the differences that told of it, however the network wavers', () => {
    const wavering = fc.array(fc.integer({ min: -900, max: 900 }), { minLength: 1, maxLength: 50 })
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), wavering, (base, delays) => {
        const skew = createSkew()
        const differences = delays.map((delay) => base + delay)
        for (const difference of differences) skew.take(difference)
        const value = skew.valueMs ?? Number.NaN
        return value >= Math.min(...differences) - 1 && value <= Math.max(...differences) + 1
      }),
    )
  })

  it('follows a clock that was set at once', () => {
    const skew = createSkew()
    skew.take(10)
    expect(skew.take(3_600_000)).toBe(3_600_000)
  })
})
