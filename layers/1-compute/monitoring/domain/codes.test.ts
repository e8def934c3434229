import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteWriter, DamagedReadings, MOST_CODE } from './bytes.ts'
import { QUANTA, type Unit } from './quantise.ts'
import { buildRollup, placeOf, type Rollup } from './rollup.ts'
import { decodeRollup, encodeRollup } from './rollup-code.ts'
import { decodeSample, encodeSample } from './sample-code.ts'

const units = Object.keys(QUANTA) as Unit[]
const STEPS = { ratio: 0.001, celsius: 0.1, watts: 0.1, hertz: 1e6, bytes: 2 ** 20, count: 1 } as const

describe('a reading as a code', () => {
  it('comes back within half a step, and rates within four digits', () => {
    const reading = fc.oneof(
      // Inside every scale: what is beyond the steps of thousandths is unknown.
      fc.double({ noNaN: true, min: -2e12, max: 2e12 }),
      fc.double({ min: -500, max: 500, noNaN: true }),
    )
    fc.assert(
      fc.property(fc.constantFrom(...units), reading, (unit, value) => {
        const back = QUANTA[unit].fromCode(QUANTA[unit].toCode(value)) ?? Number.NaN
        const most = unit === 'bytes-per-second' ? Math.max(0.5, Math.abs(value) * 0.0005) : STEPS[unit] / 2
        expect(Math.abs(back - value)).toBeLessThanOrEqual(most * 1.000001 + Math.abs(value) * 1e-15)
      }),
    )
  })

  it('grows with the reading', () => {
    const reading = fc.double({ noNaN: true, min: -1e12, max: 1e12 })
    fc.assert(
      fc.property(fc.constantFrom(...units), reading, reading, (unit, a, b) => {
        const { toCode } = QUANTA[unit]
        expect(Math.sign(toCode(a) - toCode(b)) * Math.sign(a - b)).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  it.each(units)('tells unknown from zero: %s', (unit) => {
    const { toCode, fromCode } = QUANTA[unit]
    expect(fromCode(toCode(null))).toBeNull()
    expect(fromCode(toCode(0))).toBe(0)
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) expect(fromCode(toCode(value))).toBeNull()
  })

  it('keeps counters to the last digit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MOST_CODE }), (count) => {
        expect(QUANTA.count.fromCode(QUANTA.count.toCode(count))).toBe(count)
      }),
    )
  })
})

const code = fc.oneof(
  fc.constant(Number.NaN),
  fc.integer({ min: -3, max: 3 }),
  fc.integer({ min: -1_000_000, max: 1_000_000 }),
  fc.integer({ min: -MOST_CODE, max: MOST_CODE }),
)
const sample = fc
  .record({ chips: fc.integer({ min: 0, max: 20 }), metrics: fc.integer({ min: 0, max: 20 }) })
  .chain((shape) => {
    const size = shape.chips * shape.metrics
    return fc
      .array(code, { minLength: size, maxLength: size })
      .map((codes) => ({ shape, codes: Float64Array.from(codes) }))
  })

describe('a sample as bytes', () => {
  it('comes back as it was, unknown as unknown', () => {
    const writer = new ByteWriter()
    fc.assert(
      fc.property(sample, ({ shape, codes }) => {
        expect(decodeSample(encodeSample(codes, shape, writer), shape)).toEqual(codes)
      }),
    )
  })

  it('takes what is the same on all chips once, and what no chip reports not at all', () => {
    const shape = { chips: 8, metrics: 4 }
    const codes = new Float64Array(32).fill(Number.NaN)
    codes.fill(5, 8, 16)
    // Version, forms, and one byte for the only column.
    expect(encodeSample(codes, shape, new ByteWriter())).toHaveLength(3)
  })

  it('is refused when damaged, with a word why', () => {
    fc.assert(
      fc.property(sample, fc.uint8Array({ maxLength: 60 }), ({ shape }, bytes) => {
        try {
          expect(decodeSample(bytes, shape)).toHaveLength(shape.chips * shape.metrics)
        } catch (error) {
          expect(error).toBeInstanceOf(DamagedReadings)
        }
      }),
    )
    expect(() => decodeSample(new Uint8Array([1, 2]), { chips: 2, metrics: 1 })).toThrow('end too early')
    expect(() => decodeSample(new Uint8Array([9, 0]), { chips: 2, metrics: 1 })).toThrow('unknown version')
  })
})

const METRICS = 3
const quanta = [QUANTA.ratio, QUANTA.count, QUANTA['bytes-per-second']]
const reading = fc.record({
  metric: fc.nat(METRICS - 1),
  chip: fc.nat(2),
  slot: fc.nat(5),
  code: fc.oneof(fc.constant(7), fc.integer({ min: 0, max: 50 }), fc.integer({ min: -60_000, max: 60_000 })),
})

function rollupOf(readings: readonly { metric: number; chip: number; slot: number; code: number }[]): Rollup {
  const builder = buildRollup({ slots: 6, chips: 3, metrics: METRICS }, quanta)
  for (const { metric, chip, slot, code: at } of readings) {
    builder.add(metric, chip, slot, { count: 1, min: at, mean: at, max: at })
  }
  return builder.finish()
}

describe('a rollup', () => {
  it('has the least, the mean and the greatest of its readings', () => {
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 80 }), (readings) => {
        const rollup = rollupOf(readings)
        for (const [key, own] of Map.groupBy(readings, ({ metric, chip, slot }) =>
          placeOf(rollup, metric, chip, slot),
        )) {
          const codes = own.map((one) => one.code)
          expect(rollup.count[key]).toBe(own.length)
          expect(rollup.min[key]).toBe(Math.min(...codes))
          expect(rollup.max[key]).toBe(Math.max(...codes))
          const quantum = quanta[own[0]?.metric ?? 0] ?? QUANTA.count
          const mean = codes.reduce((sum, one) => sum + (quantum.fromCode(one) ?? 0), 0) / codes.length
          expect(Math.abs((rollup.mean[key] ?? 0) - quantum.toCode(mean))).toBeLessThanOrEqual(1)
        }
        expect(rollup.count.reduce((sum, count) => sum + count, 0)).toBe(readings.length)
      }),
    )
  })

  it('comes back from its bytes as it was', () => {
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 80 }), (readings) => {
        const rollup = rollupOf(readings)
        expect(decodeRollup(encodeRollup(rollup))).toEqual(rollup)
      }),
    )
  })

  it('is refused when a byte was changed', () => {
    const bytes = encodeRollup(rollupOf([{ metric: 0, chip: 1, slot: 2, code: 400 }]))
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = bytes.slice()
        damaged[at] = (damaged[at] ?? 0) ^ flip
        expect(() => decodeRollup(damaged)).toThrow(DamagedReadings)
      }),
    )
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => decodeRollup(bytes.subarray(0, length))).toThrow(DamagedReadings)
    }
  })
})
