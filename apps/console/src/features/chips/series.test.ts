import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gapsIn, linePoints, readingRows, thinned } from './series.ts'

type Point = [number, number | null, number | null, number | null]
const points = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 400_000 }), fc.option(fc.integer({ min: 0, max: 1_000 }))), {
    maxLength: 300,
  })
  .map((steps) => {
    let at = 0
    return steps.map(([step, value]): Point => {
      at += step
      return [at, value === null ? null : value - 1, value, value === null ? null : value + 1]
    })
  })

describe('linePoints', () => {
  it('keeps every reading in order and only adds breaks', () => {
    fc.assert(
      fc.property(points, (given) => {
        const line = linePoints({ points: given, resolution: 'raw' })
        const added = line.filter((point) => !given.some(([at]) => at === point[0]))
        expect(added.every(([, low, mean, high]) => low === null && mean === null && high === null)).toBe(true)
        expect(line.length - added.length).toBeGreaterThanOrEqual(given.length - 1)
        for (const [place, [at]] of line.entries()) expect(at).toBeGreaterThanOrEqual(line[place - 1]?.[0] ?? 0)
      }),
    )
  })

  it('draws no line over a time in which nothing was read', () => {
    const given: Point[] = [0, 15_000, 30_000, 200_000, 215_000].map((at) => [at, 1, 1, 1])
    const line = linePoints({ points: given, resolution: 'raw' })
    expect(line.map(([at, , mean]) => [at, mean])).toContainEqual([30_001, null])
    expect(line).toHaveLength(6)
  })
})

describe('thinned', () => {
  it('loses no extreme', () => {
    fc.assert(
      fc.property(points, (given) => {
        const few = thinned(given, 20)
        expect(few.length).toBeLessThanOrEqual(Math.max(20, 1))
        const highest = (all: readonly (readonly [number, number | null, number | null, number | null])[]) =>
          Math.max(...all.map(([, , , high]) => high ?? Number.NEGATIVE_INFINITY))
        expect(highest(few)).toBe(highest(given))
      }),
    )
  })
})

describe('what stands beside the charts', () => {
  it('names each gap once, though every metric has it', () => {
    const gap = { from: '2026-11-23T01:00:00Z', to: '2026-11-23T02:00:00Z', reason: 'agent-stopped' as const }
    const old = { from: '2026-11-20T01:00:00Z', to: '2026-11-20T02:00:00Z', reason: 'unknown' as const }
    const [from, to] = [Date.parse('2026-11-23T00:00:00Z'), Date.parse('2026-11-24T00:00:00Z')]
    expect(gapsIn([{ gaps: [gap, old] }, { gaps: [gap] }], from, to)).toEqual([gap])
  })

  it('puts metrics read at the same time into one row and leaves the rest unknown', () => {
    const rows = readingRows([
      {
        metric: 'a',
        points: [
          [1, 0, 5, 9],
          [2, 0, 6, 9],
        ],
      },
      {
        metric: 'b',
        points: [
          [2, null, null, null],
          [3, 0, 0, 0],
        ],
      },
    ])
    expect(rows).toEqual([
      { atMs: 1, values: { a: 5, b: null } },
      { atMs: 2, values: { a: 6, b: null } },
      { atMs: 3, values: { a: null, b: 0 } },
    ])
  })
})
