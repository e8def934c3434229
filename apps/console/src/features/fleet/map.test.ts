import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FleetCell } from '../../shared/api/types.ts'
import { cellAt, layoutMap, neighbour } from './map-layout.ts'
import { asOfNow, driftedChips, figuresBy, standingOf } from './standing.ts'

const cell = (over: Partial<FleetCell> = {}): FleetCell => ({
  chipId: 'c',
  nodeId: 'n',
  nodeName: 'n',
  vendor: 'acme',
  product: 'A1',
  rack: null,
  state: 'healthy',
  quarantined: false,
  driverVersion: '1.0',
  simulated: false,
  utilizationRatio: 0.5,
  temperatureCelsius: 50,
  ...over,
})

const fleets = fc
  .array(
    fc.record({
      rack: fc.option(fc.constantFrom('R1', 'R2', 'R10')),
      chips: fc.integer({ min: 1, max: 20 }),
      vendor: fc.constantFrom('acme', 'beta'),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((nodes) =>
    nodes.flatMap(({ rack, chips, vendor }, node) =>
      Array.from({ length: chips }, (_, slot) =>
        cell({ chipId: `${node}-${slot}`, nodeId: `n${node}`, nodeName: `n${node}`, rack, vendor }),
      ),
    ),
  )

describe('layoutMap', () => {
  it('places every chip once, none over another, all inside the map and found again by their place', () => {
    fc.assert(
      fc.property(
        fleets,
        fc.constantFrom('rack', 'vendor'),
        fc.integer({ min: 340, max: 1600 }),
        (cells, by, width) => {
          const layout = layoutMap(cells, by, width)
          expect(new Set(layout.cells.map((placed) => placed.cell.chipId)).size).toBe(cells.length)
          expect(new Set(layout.cells.map(({ x, y }) => `${x} ${y}`)).size).toBe(cells.length)
          for (const [place, { x, y }] of layout.cells.entries()) {
            expect(x + layout.cellPixels).toBeLessThanOrEqual(width)
            expect(y + layout.cellPixels).toBeLessThanOrEqual(layout.height)
            expect(cellAt(layout, x + 1, y + 1)).toBe(place)
          }
          expect(layout.groups.reduce((sum, group) => sum + group.chips, 0)).toBe(cells.length)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('gives every chip the same place in whatever order the server names them', () => {
    fc.assert(
      fc.property(
        fleets.chain((cells) => fc.tuple(fc.constant(cells), fc.shuffledSubarray(cells, { minLength: cells.length }))),
        ([cells, shuffled]) => {
          const places = (all: readonly FleetCell[]) =>
            new Map(layoutMap(all, 'rack', 900).cells.map((placed) => [placed.cell.chipId, `${placed.x} ${placed.y}`]))
          expect(places(shuffled)).toEqual(places(cells))
        },
      ),
      { numRuns: 20 },
    )
  })

  it('names racks by number and puts what has none last', () => {
    const racks = ['R10', null, 'R2', 'R1'].map((rack, node) => cell({ chipId: `${node}`, nodeId: `${node}`, rack }))
    expect(layoutMap(racks, 'rack', 1000).groups.map((group) => group.key)).toEqual(['R1', 'R2', 'R10', null])
  })

  it('lets the keyboard reach every chip from the first one', () => {
    fc.assert(
      fc.property(fleets, (cells) => {
        const layout = layoutMap(cells.slice(0, 120), 'rack', 900)
        const reached = new Set([0])
        const queue = [0]
        for (const here of queue) {
          for (const direction of ['left', 'right', 'up', 'down'] as const) {
            const next = neighbour(layout, here, direction)
            if (reached.has(next)) continue
            reached.add(next)
            queue.push(next)
          }
        }
        expect(reached.size).toBe(layout.cells.length)
      }),
      { numRuns: 20 },
    )
  })
})

describe('figures of the map', () => {
  it('counts every chip in exactly one standing', () => {
    const states = fc.constantFrom<FleetCell['state']>('healthy', 'degraded', 'lost', 'unknown', 'absent')
    const cells = fc.array(
      fc.record({
        state: states,
        quarantined: fc.boolean(),
        utilizationRatio: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      }),
      { minLength: 1 },
    )
    fc.assert(
      fc.property(cells, (parts) => {
        const all = parts.map((part) => cell(part))
        const [figures] = figuresBy(all, (each) => each.vendor)
        const idle = all.filter((each) => standingOf(each) === 'idle').length
        expect((figures?.busy ?? 0) + (figures?.sick ?? 0) + (figures?.unknown ?? 0) + idle).toBe(all.length)
        const measured = all.some((each) => each.utilizationRatio !== null)
        expect(figures?.utilizationRatio === null).toBe(!measured)
      }),
    )
  })

  it('shows no old reading as one of now', () => {
    expect(asOfNow(cell({ state: 'unknown' }))).toMatchObject({ utilizationRatio: null, temperatureCelsius: null })
    expect(asOfNow(cell())).toEqual(cell())
  })

  it('marks a driver that differs from most of its product, and none without a majority', () => {
    const of = (...versions: (string | null)[]) =>
      versions.map((driverVersion, place) => cell({ chipId: `c${place}`, driverVersion }))
    expect([...driftedChips(of('1', '1', '2', null))]).toEqual(['c2'])
    expect([...driftedChips(of('1', '2'))]).toEqual([])
    expect([...driftedChips([...of('1', '1'), cell({ chipId: 'x', product: 'B', driverVersion: '9' })])]).toEqual([])
  })
})
