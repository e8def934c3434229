import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Capacity, computeCapacity, snapshotsOf } from './capacity.ts'
import type { CapacityChip, CapacityInput, Sheet } from './capacity-input.ts'
import { findSheet, withOverrides } from './sheet.ts'

const sheet = (product: string, teraops: number, fields: Partial<Sheet> = {}): Sheet => {
  const peaks = [{ dtype: 'fp16', teraops, sparse: false }]
  return { product, peaks, bandwidthBytesPerSecond: null, source: 'test', confidence: 'medium', ...fields }
}
const chip = (fields: Partial<CapacityChip> = {}): CapacityChip => {
  const usual = { state: 'healthy', usable: true, cause: null, simulated: false, efficiency: {} } as const
  return { uuid: 'u', vendor: 'alpha', product: 'A1', ...usual, ...fields }
}
const vendors = [
  { name: 'alpha', domestic: true, sheets: [sheet('A1', 300), sheet('A2', 100, { confidence: 'low' })] },
  { name: 'beta', domestic: false, sheets: [sheet('B1', 1_000, { confidence: 'high' })] },
  { name: 'plain', domestic: null, sheets: [] },
]
const input = (chips: readonly CapacityChip[], fields: Partial<CapacityInput> = {}): CapacityInput => {
  return { at: new Date(0), dtype: 'fp16', chips, vendors, overrides: [], usage: [], ...fields }
}

describe('capacity', () => {
  it('is nominal by sheet, effective by what was measured, and says how much of it was', () => {
    const chips = [
      chip({ efficiency: { prefill: 0.5, decode: 0.9 } }),
      chip({ product: 'A2', efficiency: { prefill: null } }),
      chip({ vendor: 'beta', product: 'B1', efficiency: { prefill: 0.25 } }),
      chip({ vendor: 'plain', product: 'processor' }),
      chip({ simulated: true }),
    ]
    const { headline, byVendor, assumption } = computeCapacity(input(chips))
    expect(headline).toMatchObject({ dtype: 'fp16', sparse: false, nominal: 1.4, confidence: 'low' })
    expect(headline?.effective).toBeCloseTo(0.3 * 0.5 + 1 * 0.25)
    expect(headline?.measuredShare).toBeCloseTo(1.3 / 1.4)
    expect(byVendor.map(({ vendor, simulated, chips: count }) => [vendor, simulated, count])).toEqual([
      ['alpha', false, 2],
      ['alpha', true, 1],
      ['beta', false, 1],
      ['plain', false, 1],
    ])
    expect(byVendor[3]).toMatchObject({ chipsWithoutSheet: 1, figures: [], domestic: null })
    expect(assumption.text.en).toContain('1 of 4 chips')
    expect(assumption.text['zh-CN']).toContain('fp16 稠密')
  })

  it('is unknown, not zero, where nothing says it', () => {
    const { headline, byState, domestic } = computeCapacity(input([chip({ vendor: 'plain' })]))
    expect(headline).toBeNull()
    expect(domestic).toEqual({ ofChips: null, ofCardHours: null, ofTokens: null, idle: [] })
    expect(byState).toEqual([{ state: 'healthy', chips: 1, nominal: 0 }])
    expect(computeCapacity(input([chip()])).headline).toMatchObject({ effective: null, measuredShare: 0 })
  })

  it('counts a chip that is gone by state only', () => {
    const { headline, byState } = computeCapacity(input([chip(), chip({ state: 'absent', usable: false })]))
    expect(headline?.nominal).toBe(0.3)
    expect(byState).toContainEqual({ state: 'absent', chips: 1, nominal: 0 })
  })

  it('keeps sparse figures beside the dense ones', () => {
    const peaks = [
      { dtype: 'fp16', teraops: 10, sparse: false },
      { dtype: 'fp16', teraops: 20, sparse: true },
    ]
    const overrides = [{ vendor: 'alpha', sheet: sheet('A1', 0, { peaks, confidence: 'high' }) }]
    const { headline, byVendor } = computeCapacity(input([chip()], { overrides }))
    expect(headline).toMatchObject({ nominal: 0.01, confidence: 'high' })
    expect(byVendor[0]?.figures.map(({ sparse, nominal }) => [sparse, nominal])).toEqual([
      [false, 0.01],
      [true, 0.02],
    ])
  })

  it('tells the domestic share and why domestic chips are idle', () => {
    const chips = [
      chip({ uuid: 'busy' }),
      chip({ uuid: 'free' }),
      chip({ uuid: 'sick', state: 'lost', usable: false, cause: 'not-usable' }),
      chip({ uuid: 'kept', usable: false, cause: 'maintenance' }),
      chip({ uuid: 'other', vendor: 'beta', product: 'B1', usable: false, cause: 'cordoned' }),
    ]
    const usage = [
      { chipUuid: 'busy', busySeconds: 3_600, tokens: 100 },
      { chipUuid: 'other', busySeconds: 1_200, tokens: 300 },
      { chipUuid: 'gone', busySeconds: 9_000, tokens: 9_000 },
    ]
    const { domestic } = computeCapacity(input(chips, { usage }))
    expect(domestic).toEqual({
      ofChips: 0.8,
      ofCardHours: 0.75,
      ofTokens: 0.25,
      idle: [
        { cause: 'no-demand', chips: 1, nominal: 0.3 },
        { cause: 'maintenance', chips: 1, nominal: 0.3 },
        { cause: 'not-usable', chips: 1, nominal: 0.3 },
      ],
    })
  })

  it('is kept by dtype, with what is usable', () => {
    const chips = [chip(), chip({ usable: false, cause: 'cordoned' }), chip({ simulated: true })]
    expect(snapshotsOf(input(chips))).toEqual([{ dtype: 'fp16', nominal: 0.6, effective: null, usable: 0.3, chips: 2 }])
  })
})

describe('a sheet', () => {
  const sheets = ['A100-SXM4-80GB', 'MI300X', '910B3', 'X100', 'X100 AI', 'H800', 'P9', 'P9 PCIe'].map((product) => ({
    product,
  }))
  it.each([
    ['Maker A100-SXM4-80GB', 'A100-SXM4-80GB'],
    ['Maker Instinct MI300X OAM', 'MI300X'],
    ['910B3', '910B3'],
    ['X100_AI', 'X100 AI'],
    ['X100 D', null],
    ['X1000', null],
    ['A100-PCIE-80GB', null],
    ['910B', null],
    ['Maker H800', 'H800'],
    ['Maker H800 SXM5 80GB', 'H800'],
    ['Maker H800 PCIe', null],
    ['Maker H800 PCIE5', null],
    ['Maker P9 PCIe 80GB', 'P9 PCIe'],
    ['', null],
  ])('of %s is that of %s', (product, expected) => {
    expect(findSheet(product, sheets)?.product ?? null).toBe(expected)
  })
  it('that the operator gives takes the place of ours', () => {
    const [alpha] = vendors
    const overrides = [
      { vendor: 'alpha', sheet: sheet('A1', 1) },
      { vendor: 'beta', sheet: sheet('B1', 1) },
    ]
    const all = alpha ? withOverrides(alpha, overrides) : []
    expect(all.map(({ product, overridden }) => [product, overridden])).toEqual([
      ['A1', true],
      ['A2', false],
    ])
  })
})

const anyChip = fc.record({
  uuid: fc.uuid(),
  vendor: fc.constantFrom('alpha', 'beta', 'plain'),
  product: fc.constantFrom('A1', 'A2', 'B1', 'Z'),
  state: fc.constantFrom('healthy', 'lost', 'absent', 'unknown' as const),
  usable: fc.boolean(),
  cause: fc.constantFrom(null, 'away', 'cordoned' as const),
  simulated: fc.boolean(),
  efficiency: fc.record({ prefill: fc.option(fc.double({ min: 0, max: 1.05, noNaN: true })) }),
})
const fp16 = (figures: Capacity['byVendor'][number]['figures']) => figures.find(({ dtype }) => dtype === 'fp16')
const sum = (numbers: readonly number[]) => numbers.reduce((left, right) => left + right, 0)

describe('whatever the fleet', () => {
  it('vendors and states add up, effective is within what was measured, and simulated chips change nothing', () => {
    fc.assert(
      fc.property(fc.array(anyChip, { maxLength: 60 }), (chips) => {
        const real = chips.filter(({ simulated }) => !simulated)
        const whole = computeCapacity(input(chips))
        const rows = whole.byVendor.filter(({ simulated }) => !simulated)
        const nominal = whole.headline?.nominal ?? 0
        expect(sum(rows.map(({ figures }) => fp16(figures)?.nominal ?? 0))).toBeCloseTo(nominal)
        expect(sum(rows.map(({ figures }) => fp16(figures)?.effective ?? 0))).toBeCloseTo(
          whole.headline?.effective ?? 0,
        )
        expect(sum(whole.byState.map((state) => state.nominal))).toBeCloseTo(nominal)
        expect(sum(whole.byVendor.map((row) => row.chips))).toBe(chips.length)
        const best = Math.max(0, ...real.map(({ efficiency }) => Math.min(efficiency.prefill ?? 0, 1)))
        expect(whole.headline?.effective ?? 0).toBeLessThanOrEqual(nominal * best + 1e-9)
        const { byVendor: _, ...rest } = whole
        const { byVendor: alone, ...restAlone } = computeCapacity(input(real))
        expect(restAlone).toEqual(rest)
        expect(alone).toEqual(rows)
      }),
    )
  })
})
