import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { csvOf } from './csv.ts'

/** Reads RFC 4180 as a spreadsheet would. */
function readCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = []
  const field = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/gy
  let row: string[] = []
  for (const [, raw = '', end] of text.slice(1).matchAll(field)) {
    row.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw)
    if (end === ',') continue
    rows.push(row)
    row = []
  }
  return rows
}

describe('csvOf', () => {
  it('gives back every text that is no formula', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.string())), (pairs) => {
        const plain = pairs.map((pair) => pair.map((text) => `a${text.replaceAll('\0', '')}`))
        const text = csvOf(
          [
            ['left', (row: readonly string[]) => row[0] ?? null],
            ['right', (row) => row[1] ?? null],
          ],
          plain,
        )
        expect(readCsv(text)).toEqual([['left', 'right'], ...plain])
      }),
    )
  })

  it('leaves the unknown empty and disarms formulas', () => {
    const text = csvOf(
      [['value', (row: { readonly value: string | number | null }) => row.value]],
      [{ value: null }, { value: 0 }, { value: '=1+1' }, { value: -2.5 }],
    )
    expect(readCsv(text)).toEqual([['value'], [''], ['0'], ["'=1+1"], ['-2.5']])
  })
})
