import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ALL, aChip, aReport, type FleetUnderTest, fleetUnderTest } from './fixtures/fleet-under-test.ts'
import { agentReport, chipFacts } from './protocol.ts'

describe('what may stand in a report', () => {
  let test: FleetUnderTest

  beforeAll(async () => {
    test = await fleetUnderTest()
  })
  afterAll(() => test.close())

  it('is no chip without a name that everybody can keep, nor more chips than a node has', () => {
    expect(chipFacts.safeParse(aChip('')).success).toBe(false)
    // What a garbled output calls a chip costs the chip its name, not the node its report.
    expect(chipFacts.parse(aChip('\u0000')).uuid).toBe('unreadable')
    expect(chipFacts.parse(aChip('x'.repeat(513))).uuid).toBe('x'.repeat(512))
    const many = Array.from({ length: 1_025 }, (_, index) => aChip(`many-${index}`))
    expect(agentReport.safeParse(aReport(many)).success).toBe(false)
    expect(agentReport.safeParse(aReport(many.slice(1))).success).toBe(true)
  })

  it('is any words of tools, and all of them can be kept', async () => {
    const node = await test.joined('words')
    const odd = fc.string({ unit: fc.constantFrom('\u0000', '\ud800', '\udc00', '\n', 'a', '芯') })
    await fc.assert(
      fc.asyncProperty(odd, async (words) => {
        const told = aChip(`GPU-1${words.replaceAll(/[^\p{Cc}]/gu, '')}`, {
          product: words,
          serial: words,
          health: 'degraded',
          healthReasons: [{ code: words, params: { [words]: words } }],
          extra: { [words]: words },
        })
        const report = aReport([told])
        const parsed = agentReport.parse({ ...report, facts: { ...report.facts, hostname: words } })
        await test.fleet.observe(node, parsed, 0)
        expect((await test.fleet.chip('GPU-1', ALL)).facts.product).toBe(words.toWellFormed().replaceAll('\u0000', ''))
      }),
      { numRuns: 30, examples: [['a\u0000b'], ['a\ud800']] },
    )
  }, 60_000)
})
