import { chipFacts } from '@medley/fleet/protocol'
import { CHIP_METRICS } from '@medley/monitoring/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changesBetween, chipFactsAt, uuidOf } from './facts.ts'
import { chipAt, expandPlan, isActive, nodeAt, readingsAt, signatureAt, valuesAt } from './model.ts'
import { parsePlan, type SimulationPlan, simulationPlan } from './plan.ts'

const DAY_MS = 86_400_000
const NOW = Date.UTC(2026, 10, 23)

const text = `
seed: 7
interval: 15s
groups:
  - name: north
    nodes: 12
    vendor: acme
    product: A1
    chips: { count: 4, perCard: 2, links: { label: X4, gigabytesPerSecond: 50 } }
    hostname: '{group}-{n:3}'
    nodesPerRack: 4
    racksPerSpine: 2
    load: { kind: sine, low: 0.2, high: 0.8, period: 10m }
  - { name: south, nodes: 3, vendor: beta, product: B2 }
faults:
  - { kind: lost, at: 1m, for: 30s, every: 2m, on: { group: north, nodes: [2], chips: [1] } }
  - { kind: node-away, at: 5m, for: 1m, on: { group: south } }
`

const span = fc.integer({ min: 1, max: 3_600 })
const fault = fc
  .record({
    kind: fc.constantFrom('lost', 'absent', 'unusable', 'degraded', 'hot', 'ecc', 'tool-missing', 'node-away'),
    at: span,
    for: fc.option(span, { nil: undefined }),
    on: fc.record({ share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  })
  .map((each) => (each.for === undefined ? { kind: each.kind, at: each.at, on: each.on } : each))
const plans = fc
  .record({ seed: fc.nat(), faults: fc.array(fault, { maxLength: 6 }) })
  .map(
    (parts): SimulationPlan =>
      simulationPlan.parse({ ...parts, groups: [{ name: 'g', nodes: 2, vendor: 'acme', product: 'A1' }] }),
  )
const elapsed = fc.integer({ min: 0, max: 2 * DAY_MS })

function everyChip(plan: SimulationPlan) {
  return expandPlan(plan).flatMap((node) => node.chips.map((chip) => ({ node, chip })))
}

describe('a plan', () => {
  it('says where every node stands, and that none is real', () => {
    const nodes = expandPlan(parsePlan(text))
    expect(nodes).toHaveLength(15)
    expect(nodes[11]).toMatchObject({ hostname: 'sim-north-012', rack: 'north-03', spine: 'north-S2' })
    expect(nodes.every(({ hostname }) => hostname.startsWith('sim-'))).toBe(true)
    expect(new Set(nodes.map(({ hostname }) => hostname)).size).toBe(15)
  })

  it('may be JSON as well', () => {
    const plan = { groups: [{ name: 'g', nodes: 1, vendor: 'v', product: 'p' }] }
    expect(parsePlan(JSON.stringify(plan))).toMatchObject({ seed: 1, load: { kind: 'day' } })
  })

  it.each([
    ['groups: []', /groups/],
    ['groups: [{ name: g, nodes: 1, vendor: v, product: p, colour: red }]', /colour/],
    ['groups: [{ name: g, nodes: 1, vendor: v, product: p, load: { kind: constant, level: 2 } }]', /level/],
    [
      `groups: [{ name: g, nodes: 1, vendor: v, product: p }]
faults: [{ kind: hot, at: soon }]`,
      /span/,
    ],
    [
      `groups: [{ name: g, nodes: 1, vendor: v, product: p }]
faults: [{ kind: hot, at: 1s, on: { group: h } }]`,
      /no group h/,
    ],
    [
      `groups: [{ name: g, nodes: 1, vendor: v, product: p }]
faults: [{ kind: hot, at: 1s, every: 1m }]`,
      /every/,
    ],
    ['groups: [', /line 1/],
  ])('that does not fit is refused with the place: %s', (bad, message) => {
    expect(() => parsePlan(bad)).toThrow(message)
  })
})

describe('a simulated chip', () => {
  it('has every metric of the catalogue, and facts the protocol takes', () => {
    const [node] = expandPlan(parsePlan(text))
    if (!node) throw new Error('no node')
    const uuids = node.chips.map((chip) => uuidOf('fleet', node, chip.index))
    const [chip] = node.chips
    if (!chip) throw new Error('no chip')
    expect(Object.keys(readingsAt(node, chip, 0, NOW)).toSorted()).toEqual(
      CHIP_METRICS.map(({ name }) => name).toSorted(),
    )
    expect(valuesAt(node, chip, 0, NOW).filter((value) => value === null)).toEqual([])
    const facts = chipFactsAt(node, uuids, 0, NOW).map((each) => chipFacts.parse(each))
    expect(facts.map(({ cardKey }) => cardKey)).toEqual([facts[1], facts[1], facts[3], facts[3]].map((x) => x?.cardKey))
    expect(facts[0]?.links).toHaveLength(3)
    expect(facts.every(({ simulated }) => simulated)).toBe(true)
  })

  it('is lost when the plan says so, each time, and no other is', () => {
    const nodes = expandPlan(parsePlan(text))
    const lostAt = (ms: number) =>
      nodes.flatMap((node) =>
        node.chips
          .filter((chip) => chipAt(node, chip, ms).health === 'lost')
          .map((chip) => `${node.hostname}/${chip.index}`),
      )
    expect([59_999, 60_000, 89_999, 90_000, 180_000, 210_000].map((ms) => lostAt(ms).join())).toEqual([
      '',
      'sim-north-002/1',
      'sim-north-002/1',
      '',
      'sim-north-002/1',
      '',
    ])
    expect(nodeAt(nodes[12] ?? never(), 330_000)).toEqual({ powered: false, connected: false, skewMs: 0 })
    expect(nodeAt(nodes[0] ?? never(), 330_000).powered).toBe(true)
  })

  it('is the same at a time whatever was asked before', () => {
    fc.assert(
      fc.property(plans, elapsed, elapsed, (plan, one, other) => {
        const read = (ms: number) => everyChip(plan).map(({ node, chip }) => valuesAt(node, chip, ms, NOW + ms))
        const first = read(one)
        read(other)
        expect(read(one)).toEqual(first)
      }),
      { numRuns: 50 },
    )
  })

  it('keeps readings in their bounds, and tells none where its tool is silent', () => {
    fc.assert(
      fc.property(plans, elapsed, (plan, ms) => {
        for (const { node, chip } of everyChip(plan)) {
          const condition = chipAt(node, chip, ms)
          const readings = readingsAt(node, chip, ms, NOW + ms)
          for (const [name, value] of Object.entries(readings)) {
            if (name.endsWith('Ratio')) expect(value ?? 0).toBeLessThanOrEqual(1)
            expect(value ?? 0).toBeGreaterThanOrEqual(0)
          }
          expect(Object.keys(readings).length === 1).toBe(!condition.readable || !condition.present)
          expect(condition.healthReasons.length === 0).toBe(condition.health === 'healthy')
        }
      }),
      { numRuns: 50 },
    )
  })

  it('never counts errors backwards', () => {
    fc.assert(
      fc.property(plans, elapsed, elapsed, (plan, one, other) => {
        const [early, late] = [Math.min(one, other), Math.max(one, other)]
        for (const { node, chip } of everyChip(plan)) {
          expect(chipAt(node, chip, late).eccErrorsUncorrected).toBeGreaterThanOrEqual(
            chipAt(node, chip, early).eccErrorsUncorrected,
          )
        }
      }),
      { numRuns: 50 },
    )
  })

  it('changes its signature exactly when it changes more than readings', () => {
    fc.assert(
      fc.property(plans, elapsed, elapsed, (plan, one, other) => {
        for (const node of expandPlan(plan)) {
          const uuids = node.chips.map((chip) => uuidOf('f', node, chip.index))
          const same = signatureAt(node, one) === signatureAt(node, other)
          const changed = changesBetween(node, uuids, one, other, 0)
          if (same) expect(changed).toEqual([])
          const bare = (ms: number) => node.chips.map((chip) => chipAt(node, chip, ms))
          expect(JSON.stringify(bare(one)) === JSON.stringify(bare(other))).toBe(same)
        }
      }),
      { numRuns: 50 },
    )
  })

  it('meets a share of the faults, chosen by the seed', () => {
    const plan = (seed: number) =>
      simulationPlan.parse({
        seed,
        groups: [{ name: 'g', nodes: 100, vendor: 'v', product: 'p' }],
        faults: [{ kind: 'lost', at: 0, on: { share: 0.25 } }],
      })
    const hit = (seed: number) => everyChip(plan(seed)).map(({ chip }) => chip.faults.some((each) => isActive(each, 0)))
    const count = hit(1).filter(Boolean).length
    expect(count).toBeGreaterThan(140)
    expect(count).toBeLessThan(260)
    expect(hit(1)).toEqual(hit(1))
    expect(hit(2)).not.toEqual(hit(1))
  })
})

function never(): never {
  throw new Error('missing')
}
