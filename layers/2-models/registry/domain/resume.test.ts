import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planResume, type RangeAnswer } from './resume.ts'

const answer = (fields: Partial<RangeAnswer>): RangeAnswer => ({
  status: 200,
  contentRange: null,
  contentLength: null,
  retryAfter: null,
  ...fields,
})

describe('planResume', () => {
  it('appends only where the server continues at exactly our offset', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(1000), (offset, first) => {
        const plan = planResume(offset, 2000, answer({ status: 206, contentRange: `bytes ${first}-1999/2000` }))
        expect(plan.kind).toBe(first === offset ? 'append' : 'discard')
      }),
    )
  })

  it('starts over where the server ignored the range', () => {
    expect(planResume(10, 2000, answer({ contentLength: '2000' }))).toEqual({ kind: 'overwrite' })
    expect(planResume(10, 2000, answer({}))).toEqual({ kind: 'overwrite' })
  })

  it('refuses a file of another size before a byte of it is taken', () => {
    expect(planResume(0, 2000, answer({ contentLength: '1999' })).kind).toBe('refuse')
    expect(planResume(5, 2000, answer({ status: 206, contentRange: 'bytes 5-9/10' })).kind).toBe('refuse')
  })

  it('tells passing failures from lasting ones', () => {
    expect(planResume(0, 1, answer({ status: 503, retryAfter: '2' }))).toMatchObject({ kind: 'retry', afterMs: 2000 })
    expect(planResume(0, 1, answer({ status: 429, retryAfter: 'soon' }))).toMatchObject({ afterMs: null })
    expect(planResume(0, 1, answer({ status: 404 })).kind).toBe('refuse')
    expect(planResume(5, 9, answer({ status: 416 })).kind).toBe('discard')
  })
})
