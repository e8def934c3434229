import { MOST_CODE } from './bytes.ts'

/**
 * Readings are kept as whole numbers of a step that a person can still use, which makes neighbours alike and the
 * store small. A code grows with its value, so that the least and the greatest code are those of the values.
 */
export interface Quantum {
  /** `NaN` for unknown, also for what no chip can mean: not finite, or beyond every scale. */
  toCode(value: number | null): number
  /** `null` for `NaN`. */
  fromCode(code: number): number | null
}

export type Unit = 'ratio' | 'bytes' | 'celsius' | 'watts' | 'hertz' | 'count' | 'bytes-per-second'

const bounded = (code: number) => (Math.abs(code) <= MOST_CODE ? code : Number.NaN)

/** Steps of `1 / perUnit`: dividing by a whole number gives the decimal back without a tail of nines. */
const stepsOf = (perUnit: number): Quantum => ({
  // `+ 0` makes zero of minus zero, which no bytes can tell apart.
  toCode: (value) => (value === null ? Number.NaN : bounded(Math.round(value * perUnit) + 0)),
  fromCode: (code) => (Number.isNaN(code) ? null : code / perUnit),
})

const multiplesOf = (step: number): Quantum => ({
  toCode: (value) => (value === null ? Number.NaN : bounded(Math.round(value / step) + 0)),
  fromCode: (code) => (Number.isNaN(code) ? null : code * step),
})

/** Whole up to 10,000, above that four significant digits: 9,000 codes a decade. */
const EXACT_BELOW = 10_000
const PER_DECADE = 9_000

function significantCode(magnitude: number): number {
  const whole = Math.round(magnitude)
  if (whole < EXACT_BELOW) return whole
  const shift = Math.floor(Math.log10(whole)) - 3
  // The logarithm may be off by one at a power of ten, and rounding may reach the next: both give the same code.
  return EXACT_BELOW + (shift - 1) * PER_DECADE + Math.round(whole / 10 ** shift) - 1_000
}

function significantValue(code: number): number {
  if (code < EXACT_BELOW) return code
  const decade = Math.floor((code - EXACT_BELOW) / PER_DECADE)
  return (1_000 + ((code - EXACT_BELOW) % PER_DECADE)) * 10 ** (decade + 1)
}

const significant: Quantum = {
  toCode(value) {
    if (value === null || !Number.isFinite(value)) return Number.NaN
    return value < 0 ? -significantCode(-value) + 0 : significantCode(value)
  },
  fromCode(code) {
    if (Number.isNaN(code)) return null
    return code < 0 ? -significantValue(-code) : significantValue(code)
  },
}

/** Half of its step is the most by which a reading changes in the store; rates keep four digits. */
export const QUANTA: Readonly<Record<Unit, Quantum>> = {
  ratio: stepsOf(1_000),
  celsius: stepsOf(10),
  watts: stepsOf(10),
  hertz: multiplesOf(1e6),
  bytes: multiplesOf(2 ** 20),
  count: multiplesOf(1),
  'bytes-per-second': significant,
}
