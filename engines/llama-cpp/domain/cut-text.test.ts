import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutText } from './cut-text.ts'

describe('cutText', () => {
  it('loses nothing, keeps to the size and never cuts a character in two', () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 })
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 50 }), (whole, size) => {
        const pieces = [...cutText(whole, size)]
        expect(pieces.join('')).toBe(whole)
        expect(pieces.every((piece) => piece.length > 0 && piece.length <= size && piece.isWellFormed())).toBe(true)
      }),
    )
  })

  it('cuts before the blank between two words', () => {
    expect([...cutText('one two three', 9)]).toEqual(['one two', ' three'])
  })
})
