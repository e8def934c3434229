import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSkew } from './skew.ts'

const NOW_MS = Date.UTC(2026, 10, 23)
const INTERVAL_MS = 15_000

describe('a clock’s skew', () => {
  it('is not known before the first frame, and is that frame’s then', () => {
    const skew = createSkew()
    expect(skew.valueMs).toBeNull()
    expect([skew.take(NOW_MS - 420_000, NOW_MS), skew.valueMs]).toEqual([-420_000, -420_000])
  })

  it('is that of the least late of the frames, however the network wavers', () => {
    const wavering = fc.array(fc.integer({ min: 0, max: 1_900 }), { minLength: 1, maxLength: 50 })
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), wavering, (base, delays) => {
        const skew = createSkew()
        delays.forEach((delay, index) => {
          const sentMs = NOW_MS + index * INTERVAL_MS
          skew.take(sentMs + base, sentMs + delay)
        })
        expect(skew.valueMs).toBe(base - Math.min(...delays.slice(-8)))
      }),
    )
  })

  it('stays where it was when some frames are late, also when they were sent together', () => {
    // Up to a burst of late frames at any place; the others come at once.
    const burst = fc.record({ delay: fc.integer({ min: 2_500, max: 60_000 }), count: fc.integer({ min: 1, max: 16 }) })
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), burst, (base, { delay, count }) => {
        const skew = createSkew()
        skew.take(NOW_MS + base, NOW_MS)
        for (let frame = 0; frame < count; frame += 1) {
          const sentMs = NOW_MS + INTERVAL_MS + frame * 20
          expect(skew.take(sentMs + base, sentMs + delay)).toBe(base)
        }
      }),
    )
    const skew = createSkew()
    skew.take(NOW_MS, NOW_MS)
    // A cut of forty seconds that the connection outlived: its frames come together, each later than the next.
    for (const sent of [15_000, 30_000, 45_000]) expect(skew.take(NOW_MS + sent, NOW_MS + 55_000)).toBe(0)
  })

  it('follows a clock that was set at once, ahead or back', () => {
    const skew = createSkew()
    skew.take(NOW_MS + 10, NOW_MS)
    expect(skew.take(NOW_MS + 3_615_000, NOW_MS + INTERVAL_MS)).toBe(3_600_000)
    expect(skew.take(NOW_MS + 30_000, NOW_MS + 2 * INTERVAL_MS)).toBe(0)
  })

  it('follows a clock that was set back by less than the time between frames once three agree', () => {
    const skew = createSkew()
    const take = (frame: number) => skew.take(NOW_MS + frame * INTERVAL_MS - 9_000, NOW_MS + frame * INTERVAL_MS)
    skew.take(NOW_MS, NOW_MS)
    expect([1, 2, 3, 4].map(take)).toEqual([0, 0, -9_000, -9_000])
  })
})
