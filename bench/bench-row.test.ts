import { describe, expect, it } from 'vitest'
import { barRow, limitRow, reportedRow } from './bench-row.ts'
import { probeRows } from './probe/probe-rows.ts'

const measured = { name: 'x', value: 8, unit: 'B/s', anchor: 'another program', anchorValue: 10 }

describe('bench rows', () => {
  it('holds a ratio against its bar', () => {
    expect(barRow(measured, 0.8)).toMatchObject({ ratio: 0.8, bar: '>= 0.80', holds: true })
    expect(barRow({ ...measured, value: 7 }, 0.8)).toMatchObject({ ratio: 0.7, holds: false })
  })

  it('knows neither ratio nor verdict without an anchor, and no verdict without a bar', () => {
    expect(barRow({ ...measured, anchorValue: null }, 0.8)).toMatchObject({ ratio: null, holds: null })
    expect(reportedRow(measured)).toMatchObject({ ratio: 0.8, bar: null, holds: null })
  })
})

describe('a row with a limit', () => {
  it('is held by its value, or by its ratio where it has an anchor', () => {
    const { anchor, anchorValue, ...alone } = measured
    expect(limitRow(alone, 8)).toMatchObject({ ratio: null, anchor: null, bar: '<= 8.00', holds: true })
    expect(limitRow(alone, 7)).toMatchObject({ holds: false })
    expect(limitRow({ ...alone, anchor, anchorValue }, 0.8)).toMatchObject({ ratio: 0.8, holds: true })
    expect(limitRow({ ...alone, anchor, anchorValue: null }, 0.8)).toMatchObject({ ratio: null, holds: null })
  })
})

describe('probeRows', () => {
  it('still measures where there is no C compiler, and says that the anchor is missing', async () => {
    const path = process.env.PATH
    process.env.PATH = '/nonexistent'
    try {
      const rows = await probeRows({ quick: true })
      const bars = rows.filter(({ bar }) => bar !== null)
      expect(bars.map(({ name, anchorValue, holds }) => [name, anchorValue, holds])).toEqual([
        ['probe_gemm', null, null],
        ['probe_bandwidth', null, null],
      ])
      expect(bars.every(({ value }) => value > 0)).toBe(true)
    } finally {
      process.env.PATH = path
    }
  }, 120_000)
})
