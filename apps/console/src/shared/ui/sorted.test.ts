import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sorted } from './sorted.ts'

describe('sorted', () => {
  it('keeps every row, orders the known ones and leaves the unknown ones last, whichever way', () => {
    const values = fc.array(fc.option(fc.integer(), { nil: null }))
    fc.assert(
      fc.property(values, fc.boolean(), (rows, descending) => {
        const result = sorted(rows, (row) => row, descending, 'en')
        const known = rows.filter((row) => row !== null).toSorted((a, b) => (descending ? b - a : a - b))
        expect(result).toEqual([...known, ...rows.filter((row) => row === null)])
      }),
    )
  })

  it('sorts texts as a reader would', () => {
    const by = (row: string) => row
    expect(sorted(['chip 10', 'chip 9', 'Adapter'], by, false, 'en')).toEqual(['Adapter', 'chip 9', 'chip 10'])
    expect(sorted(['张', '李', '王'], by, false, 'zh-CN')).toEqual(['李', '王', '张'])
  })
})
