import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type StateEntry, transitionsOf } from './history.ts'
import { faultsSince, quarantineFor } from './quarantine.ts'
import { CHIP_STATES, type ChipState, NOT_REPORTED } from './state.ts'

const historyOf = (...states: readonly ChipState[]) =>
  transitionsOf(states.map((state, atMs): StateEntry => ({ state, evidence: [], atMs, agentAtMs: null })))
const policy = { faults: 3, withinMs: 100 }
const now = { nowMs: 50, releasedAtMs: null }

describe('quarantine', () => {
  it('counts each time a chip goes from working into a fault', () => {
    expect(faultsSince(historyOf('healthy', 'lost', 'unusable', 'degraded', 'absent', 'healthy', 'lost'), -1)).toBe(3)
  })

  it('does not count what nobody saw: a node that comes and goes is no fault of its chips', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...CHIP_STATES)), (states) => {
        const flapping = states.flatMap((state): ChipState[] => [state, 'unknown', state])
        expect(faultsSince(historyOf(...flapping), -1)).toBe(faultsSince(historyOf(...states), -1))
      }),
    )
  })

  it('does not count the trouble of the tool, nor a chip that a starting agent does not find', () => {
    const blames = (state: ChipState, ...codes: readonly string[]) => {
      const evidence = codes.map((code) => ({ code, params: {} }))
      const base = { evidence: [], agentAtMs: null }
      return faultsSince(
        transitionsOf([
          { ...base, state: 'healthy', atMs: 0 },
          { ...base, state, evidence, atMs: 1 },
        ]),
        -1,
      )
    }
    expect(blames('unusable', 'tool-timeout')).toBe(0)
    expect(blames('no-driver', 'tool-missing')).toBe(0)
    expect(blames('absent', NOT_REPORTED.code)).toBe(0)
    expect(blames('unusable', 'tool-timeout', 'ecc-uncorrected')).toBe(1)
    expect(blames('lost', 'not-listed')).toBe(1)
  })

  it('begins at the policy’s number, within its time, since the last release', () => {
    const twice = historyOf('healthy', 'lost', 'healthy', 'lost', 'healthy')
    const thrice = historyOf('healthy', 'lost', 'healthy', 'lost', 'healthy', 'lost')
    expect(quarantineFor(twice, policy, now)).toBeNull()
    expect(quarantineFor(thrice, policy, now)).toMatchObject({ code: 'repeated-faults', params: { count: '3' } })
    expect(quarantineFor(thrice, policy, { ...now, releasedAtMs: 2 })).toBeNull()
    expect(quarantineFor(thrice, policy, { ...now, nowMs: 102 })).toBeNull()
  })
})
