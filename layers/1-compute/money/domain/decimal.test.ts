import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  add,
  canonical,
  compare,
  type Decimal,
  digitsOf,
  divideExactly,
  isDecimal,
  multiply,
  negate,
  roundHalfEven,
  subtract,
  sum,
  withDigits,
} from './decimal.ts'

const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), fc.nat(18))
  .map(([units, scale]) => canonical(scaled(units, scale)))

/** Written the other way round: sign, then digits with a point put in. */
function scaled(units: bigint, scale: number): Decimal {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0')
  const at = digits.length - scale
  return `${units < 0n ? '-' : ''}${digits.slice(0, at)}${scale === 0 ? '' : `.${digits.slice(at)}`}`
}

describe('decimals', () => {
  it('obey the laws of arithmetic exactly', () => {
    fc.assert(
      fc.property(decimal, decimal, decimal, (a, b, c) => {
        expect(add(a, b)).toBe(add(b, a))
        expect(add(add(a, b), c)).toBe(add(a, add(b, c)))
        expect(multiply(a, b)).toBe(multiply(b, a))
        expect(multiply(a, add(b, c))).toBe(add(multiply(a, b), multiply(a, c)))
        expect(subtract(add(a, b), b)).toBe(a)
        expect(sum([a, b, c, negate(b)])).toBe(add(a, c))
        expect(compare(a, b)).toBe(compare(negate(b), negate(a)))
      }),
    )
  })

  it('divide exactly or not at all', () => {
    fc.assert(
      fc.property(decimal, fc.bigInt({ min: 1n, max: 10n ** 9n }), (value, divisor) => {
        const quotient = divideExactly(value, divisor)
        if (quotient !== null) expect(multiply(quotient, divisor.toString())).toBe(value)
        expect(divideExactly(multiply(value, divisor.toString()), divisor)).toBe(value)
      }),
    )
    expect(divideExactly('1', 3_600n)).toBeNull()
    expect(divideExactly('3.6', 3_600n)).toBe('0.001')
    expect(divideExactly('1', 1n << 10n)).toBe('0.0009765625')
  })

  it('round to the nearest, halves to even, without leaning to either side', () => {
    fc.assert(
      fc.property(decimal, fc.nat(6), (value, digits) => {
        const rounded = roundHalfEven(value, digits)
        const twice = multiply(subtract(rounded, value), `2${'0'.repeat(digits)}`)
        expect(digitsOf(rounded)).toBeLessThanOrEqual(digits)
        expect(compare(twice, '1') <= 0 && compare(twice, '-1') >= 0).toBe(true)
        expect(roundHalfEven(negate(value), digits)).toBe(negate(rounded))
      }),
    )
    const halves = ['0.005', '0.015', '0.025', '-0.005', '-0.015', '2.675', '0.0050000001']
    expect(halves.map((half) => roundHalfEven(half, 2))).toEqual(['0', '0.02', '0.02', '0', '-0.02', '2.68', '0.01'])
  })

  it('have one way to be written, and refuse what is no decimal', () => {
    expect(['007.50', '-0', '-0.00', '1.', '.5', '1e3', ' 1', '']).toSatisfy((texts: string[]) =>
      texts.slice(3).every((text) => !isDecimal(text)),
    )
    expect(['007.50', '-0', '-0.00', '100'].map(canonical)).toEqual(['7.5', '0', '0', '100'])
    expect(() => canonical('1e3')).toThrow(RangeError)
    expect([withDigits('7.5', 2), withDigits('-3', 2), withDigits('3', 0)]).toEqual(['7.50', '-3.00', '3'])
  })
})
