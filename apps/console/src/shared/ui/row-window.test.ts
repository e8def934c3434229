import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { visibleRows } from './row-window.ts'

describe('visibleRows', () => {
  it('draws every row a reader can see, and never many more', () => {
    const cases = fc.record({
      count: fc.integer({ min: 1, max: 20_000 }),
      row: fc.integer({ min: 20, max: 80 }),
      top: fc.integer({ min: -2_000_000, max: 2_000 }),
      height: fc.integer({ min: 200, max: 3_000 }),
    })
    fc.assert(
      fc.property(cases, ({ count, row, top, height }) => {
        const { from, to } = visibleRows(count, row, top, height, 3)
        expect(from).toBeGreaterThanOrEqual(0)
        expect(to).toBeLessThanOrEqual(count)
        expect(to).toBeGreaterThan(from)
        expect(to - from).toBeLessThanOrEqual(Math.ceil(height / row) + 8)
        const seen = Array.from({ length: count }, (_, place) => place).filter(
          (place) => top + (place + 1) * row > 0 && top + place * row < height,
        )
        for (const place of [seen[0], seen.at(-1)]) {
          if (place === undefined) continue
          expect(place).toBeGreaterThanOrEqual(from)
          expect(place).toBeLessThan(to)
        }
      }),
      { numRuns: 60 },
    )
  })
})
