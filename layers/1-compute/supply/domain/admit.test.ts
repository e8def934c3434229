import { describe, expect, it } from 'vitest'
import { durationMs, exactNumber } from './admit.ts'

describe('durationMs', () => {
  it('is unknown, not zero or less, when the clock was set back', () => {
    expect(durationMs({ startedAt: 10, endedAt: 25 })).toBe(15)
    expect(durationMs({ startedAt: 25, endedAt: 10 })).toBeNull()
  })
})

describe('exactNumber', () => {
  it('refuses to round', () => {
    expect(exactNumber('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER)
    expect(() => exactNumber('9007199254740993')).toThrow(RangeError)
  })
})
