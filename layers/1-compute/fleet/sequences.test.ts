import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ALL, aChip, aReport, type FleetUnderTest, fleetUnderTest } from './fixtures/fleet-under-test.ts'
import type { OpenedFleet } from './index.ts'
import type { ChipChange, ChipHealth } from './protocol.ts'

const UUIDS = ['x', 'y', 'z']
const health = fc.constantFrom<ChipHealth>('healthy', 'degraded', 'lost', 'unusable', 'unknown')
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('report' as const),
      node: fc.nat(1),
      chips: fc.uniqueArray(fc.record({ uuid: fc.constantFrom(...UUIDS), health }), { selector: ({ uuid }) => uuid }),
      changes: fc.array(
        fc.record({
          uuid: fc.constantFrom(...UUIDS),
          agoMs: fc.integer({ min: -5_000, max: 90_000 }),
          health: fc.oneof(health, fc.constant('absent' as const)),
        }),
        { maxLength: 4 },
      ),
      twice: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 60_000 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

describe('every sequence of reports, cuts and restarts', () => {
  let test: FleetUnderTest
  let run = 0

  beforeAll(async () => {
    test = await fleetUnderTest()
  })
  afterAll(() => test.close())

  async function takeStep(
    fleet: OpenedFleet,
    nodes: readonly string[],
    mark: string,
    next: Step,
  ): Promise<OpenedFleet> {
    if (next.kind === 'restart') return test.restarted()
    if (next.kind === 'pass') {
      await test.pass(next.ms)
      await fleet.tick()
      return fleet
    }
    const nodeId = nodes[next.node] ?? ''
    const changes = next.changes.map(
      ({ uuid, agoMs, health: changed }): ChipChange => ({
        uuid: `${mark}${uuid}`,
        atMs: test.nowMs() - agoMs,
        health: changed,
        healthReasons: [],
      }),
    )
    const chips = next.chips.map(({ uuid, health: reported }) => aChip(`${mark}${uuid}`, { health: reported }))
    const report = aReport(chips, { changes })
    await fleet.observe(nodeId, report, 0)
    if (!next.twice) return fleet
    const before = await test.execute('select count(*) from chip_events')
    await fleet.observe(nodeId, { ...report, changes: changes.toReversed() }, 0)
    expect(await test.execute('select count(*) from chip_events')).toEqual(before)
    return fleet
  }

  it('leaves one row a chip, and a history that chains and ends in what is shown', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
        run += 1
        const mark = `run${run}-`
        const nodes = [await test.joined(`${mark}a`), await test.joined(`${mark}b`)]
        let fleet = test.restarted()
        for (const next of steps) fleet = await takeStep(fleet, nodes, mark, next)
        const chips = await fleet.chips({ viewer: ALL, after: null, limit: 100, filter: { text: mark } })
        expect(new Set(chips.map(({ facts }) => facts.uuid)).size).toBe(chips.length)
        for (const chip of chips) {
          const told = await fleet.events({ viewer: ALL, chipId: chip.id, after: null, limit: 1_000 })
          const states = told.filter(({ kind }) => kind === 'found' || kind === 'state').toReversed()
          expect(states[0]?.kind).toBe('found')
          expect(states.map(({ from }) => from)).toEqual([null, ...states.slice(0, -1).map(({ to }) => to)])
          expect(states.every(({ from, to }) => from !== to)).toBe(true)
          expect(states.at(-1)?.to).toBe(chip.state)
          expect(states.at(-1)?.at).toEqual(chip.stateSince)
          expect(new Set(told.map(({ id }) => id)).size).toBe(told.length)
        }
      }),
      { numRuns: 40 },
    )
  }, 120_000)
})
