import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shareBatch } from './share-batch.ts'

describe('shareBatch', () => {
  it('lets answers go on while prompts are read', () => {
    expect(shareBatch([1, 900, 1, 300], 512)).toEqual([1, 255, 1, 255])
  })

  it('leaves nothing unused, starves nobody and never overfills', () => {
    const wanted = fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 16 })
    fc.assert(
      fc.property(wanted, fc.integer({ min: 16, max: 512 }), (tokens, size) => {
        const shares = shareBatch(tokens, size)
        const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
        expect(sum(shares)).toBe(Math.min(size, sum(tokens)))
        expect(shares.every((share, index) => share >= 1 && share <= (tokens[index] ?? 0))).toBe(true)
      }),
    )
  })
})
