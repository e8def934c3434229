import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeCursor, encodeCursor } from './cursor.ts'

describe('cursor', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.integer({ min: -8.64e15, max: 8.64e15 }), fc.uuid(), (occurredAtMs, uuid) => {
        const cursor = { occurredAtMs, id: `usage_${uuid}` }
        expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor)
      }),
    )
  })

  it('refuses whatever is none, without throwing', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes('usage_'))
        expect(decodeCursor(text)).toBeNull()
      }),
    )
    expect(decodeCursor("0.usage_' or 1=1 --")).toBeNull()
  })
})
