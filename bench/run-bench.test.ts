import { describe, expect, it } from 'vitest'
import { barRow, reportedRow } from './bench-row.ts'
import { exitCodeOf } from './run-bench.ts'

const measured = { name: 'x', value: 8, unit: 'B/s', anchor: 'another program', anchorValue: 10 }
const holds = barRow(measured, 0.8)
const fails = barRow(measured, 0.9)
const open = barRow({ ...measured, anchorValue: null }, 0.8)

describe('the exit code of a bench', () => {
  it('is 0 only when every bar holds; a reported row decides nothing', () => {
    expect(exitCodeOf([holds, reportedRow({ ...measured, anchorValue: null })])).toBe(0)
  })

  it('is 5 when an anchor is missing, and 1 as soon as a bar fails', () => {
    expect(exitCodeOf([holds, open])).toBe(5)
    expect(exitCodeOf([open, fails])).toBe(1)
  })
})
