import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CHIP_STATES, isUsable, standingOf } from './state.ts'

const reason = (code: string) => ({ code, params: { tool: 'smi' } })
const health = fc.constantFrom('healthy', 'degraded', 'lost', 'unusable', 'unknown', 'absent')
const reasons = fc.array(fc.constantFrom('tool-missing', 'no-parser', 'tool-failed', 'not-listed').map(reason))

describe('standingOf', () => {
  it.each([
    ['healthy', [], 'healthy'],
    ['degraded', ['ecc-uncorrected'], 'degraded'],
    ['lost', ['not-listed'], 'lost'],
    ['unusable', ['tool-failed'], 'unusable'],
    ['unusable', ['tool-missing'], 'no-driver'],
    ['unknown', ['no-parser'], 'no-driver'],
    ['lost', ['tool-missing'], 'no-driver'],
    ['unknown', [], 'unknown'],
    ['absent', [], 'absent'],
  ] as const)('%s because of %j is %s', (reported, codes, state) => {
    expect(standingOf({ health: reported, healthReasons: codes.map(reason) }).state).toBe(state)
  })

  it('keeps the evidence, and never makes a chip better than it was reported', () => {
    fc.assert(
      fc.property(health, reasons, (reported, healthReasons) => {
        const standing = standingOf({ health: reported, healthReasons })
        const works = ['healthy', 'degraded']
        expect(works.includes(standing.state)).toBe(works.includes(reported))
        expect(standing.evidence).toEqual(expect.arrayContaining(healthReasons))
      }),
    )
  })
})

describe('isUsable', () => {
  it('wants a working chip outside quarantine on a connected, open node without maintenance', () => {
    const good = { quarantined: false, nodeConnected: true, nodeOpen: true, inMaintenance: false }
    const usable = CHIP_STATES.filter((state) => isUsable({ ...good, state }))
    expect(usable).toEqual(['degraded', 'healthy'])
    for (const bad of [{ quarantined: true }, { nodeConnected: false }, { nodeOpen: false }, { inMaintenance: true }])
      expect(isUsable({ ...good, state: 'healthy', ...bad })).toBe(false)
  })
})
