import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseSlot, commonPrefix } from './choose-slot.ts'

const tokens = fc.array(fc.nat(3), { maxLength: 20 })
const slots = fc.array(fc.record({ tokens, lastUse: fc.nat(100) }), { minLength: 1, maxLength: 8 })

describe('chooseSlot', () => {
  it('continues a conversation where it was left', () => {
    const other = { tokens: [1, 2, 9, 9, 9], lastUse: 9 }
    const mine = { tokens: [1, 2, 3, 4], lastUse: 1 }
    expect(chooseSlot([other, mine, { tokens: [], lastUse: 0 }], [1, 2, 3, 4, 5])).toBe(1)
  })

  it('does not overwrite a conversation for the few tokens every prompt starts with', () => {
    const old = { tokens: [1, 2, 3, 4, 5, 6, 7, 8], lastUse: 1 }
    expect(chooseSlot([old, { tokens: [], lastUse: 0 }], [1, 2, 9, 9])).toBe(1)
  })

  it('forgets the conversation that was left longest ago', () => {
    const recent = { tokens: [5, 6, 7], lastUse: 8 }
    const stale = { tokens: [6, 7, 8], lastUse: 3 }
    expect(chooseSlot([recent, stale], [1, 2, 3])).toBe(1)
  })

  it('has no answer without a free slot', () => {
    expect(chooseSlot([], [1])).toBeNull()
  })

  it('always finds the slot that holds exactly the beginning of the prompt', () => {
    fc.assert(
      fc.property(slots, fc.array(fc.nat(3), { minLength: 1, maxLength: 20 }), (others, prompt) => {
        const exact = { tokens: prompt.slice(0, -1), lastUse: 0 }
        const chosen = [...others, exact][chooseSlot([...others, exact], prompt) ?? -1]
        expect(commonPrefix(chosen?.tokens ?? [], prompt)).toBeGreaterThanOrEqual(exact.tokens.length)
      }),
    )
  })
})
