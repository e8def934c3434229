import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTextAssembler } from './text-assembler.ts'

/** A byte-level tokenizer: tokens are any pieces of the UTF-8 bytes. */
const decode = (tokens: readonly Buffer[]): string => Buffer.concat([...tokens]).toString('utf8')

const wholeText = fc
  .string({ unit: 'binary', maxLength: 30 })
  // Lone surrogates have no UTF-8 form, and a real replacement character cannot be told from half a character.
  .filter((text) => text.isWellFormed() && !text.includes('\uFFFD'))

describe('text assembler', () => {
  it('waits for the rest of a character', () => {
    const assembler = createTextAssembler(decode)
    const bytes = Buffer.from('a🎉')
    expect(assembler.push(bytes.subarray(0, 2))).toBe('a')
    expect(assembler.push(bytes.subarray(2, 4))).toBe('')
    expect(assembler.push(bytes.subarray(4))).toBe('🎉')
    expect(assembler.flush()).toBe('')
  })

  it('drops half a character at the end of an answer that was cut off', () => {
    const assembler = createTextAssembler(decode)
    expect(assembler.push(Buffer.from('好').subarray(0, 2))).toBe('')
    expect(assembler.flush()).toBe('')
  })

  it('does not hold an answer back for ever when a character never becomes whole', () => {
    const assembler = createTextAssembler(decode)
    const broken = Array.from({ length: 40 }, () => Buffer.from([0xf0]))
    const sent = broken.map((token) => assembler.push(token)).join('') + assembler.flush()
    expect(sent.length).toBeGreaterThanOrEqual(39)
  })

  it('yields exactly the text, in pieces that are whole characters', () => {
    fc.assert(
      fc.property(wholeText, fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }), (text, sizes) => {
        const assembler = createTextAssembler(decode)
        const pieces = cutBytes(Buffer.from(text), sizes).map((token) => assembler.push(token))
        pieces.push(assembler.flush())
        expect(pieces.join('')).toBe(text)
        expect(pieces.every((piece) => piece.isWellFormed() && !piece.includes('\uFFFD'))).toBe(true)
      }),
    )
  })
})

function cutBytes(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  for (let from = 0, turn = 0; from < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1
    pieces.push(bytes.subarray(from, from + size))
    from += size
  }
  return pieces
}
