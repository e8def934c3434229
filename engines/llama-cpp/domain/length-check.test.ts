import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkLength } from './length-check.ts'

describe('checkLength', () => {
  it('names both lengths', () => {
    const verdict = checkLength(900, 200, 1024)
    expect(verdict).toMatchObject({ kind: 'too-long' })
    expect(verdict).toHaveProperty('message', expect.stringMatching(/1024.*900.*200/s))
  })

  it('leaves room for at least one token', () => {
    expect(checkLength(1024, null, 1024).kind).toBe('too-long')
    expect(checkLength(1023, null, 1024)).toEqual({ kind: 'fits', maxTokens: 1 })
  })

  it('never lets prompt and answer exceed the context', () => {
    fc.assert(
      fc.property(fc.nat(3000), fc.option(fc.integer({ min: 1, max: 3000 })), (prompt, asked) => {
        const verdict = checkLength(prompt, asked, 1024)
        expect(verdict.kind === 'fits').toBe(prompt + (asked ?? 1) <= 1024)
        if (verdict.kind === 'fits') expect(prompt + verdict.maxTokens).toBeLessThanOrEqual(1024)
      }),
    )
  })
})
