import { describe, expect, it } from 'vitest'
import { csvOf } from '../../shared/csv.ts'
import { dtypesOf, figureColumns, figureOf, figureRows, type VendorRow, widest } from './figures.ts'

const figure = (dtype: string, nominal: number, sparse = false) => ({
  dtype,
  nominal,
  effective: null,
  measuredShare: 0,
  confidence: 'low' as const,
  sparse,
})
const row = (vendor: string, ...figures: readonly ReturnType<typeof figure>[]): VendorRow => ({
  vendor,
  domestic: null,
  simulated: vendor === 'sim',
  chips: 8,
  chipsWithoutSheet: 0,
  products: [],
  figures: [...figures],
  states: {},
})
const rows = [row('acme', figure('bf16', 2), figure('bf16', 4, true)), row('sim', figure('int8', 9))]

describe('figures of supply', () => {
  it('keeps dense and sparse apart', () => {
    const [acme] = rows
    expect(acme && figureOf(acme, 'bf16', false)?.nominal).toBe(2)
    expect(acme && figureOf(acme, 'bf16', true)?.nominal).toBe(4)
    expect([widest(rows, 'bf16', false), widest(rows, 'fp8', false)]).toEqual([2, 0])
  })

  it('offers each data type once, the one in use first', () => {
    const assumption = { dtype: 'int8', sparse: false, text: { en: '', 'zh-CN': '' } }
    expect(dtypesOf({ byVendor: rows, assumption })).toEqual(['int8', 'bf16'])
  })

  it('says in the export which figures are simulated, and leaves unknown empty', () => {
    const lines = csvOf(figureColumns, figureRows({ byVendor: rows }))
      .trim()
      .split('\r\n')
    expect(lines).toHaveLength(4)
    expect(lines[3]).toBe('sim,true,,8,0,int8,false,9,,0,low')
  })
})
