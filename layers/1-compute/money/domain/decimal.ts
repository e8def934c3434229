/**
 * A decimal number as text, such as `-12.345`: never a float, always exact. Canonical: no superfluous zeros, no
 * exponent, no `-0`, so that equal numbers are equal texts.
 */
export type Decimal = string

/** `units` / 10^`scale`. */
interface Exact {
  readonly units: bigint
  readonly scale: number
}

const FORM = /^(-?)(\d+)(?:\.(\d+))?$/

/** True for a decimal number of at most `mostDigits` behind the point and 30 before it; otherwise refuse the input. */
export function isDecimal(text: string, mostDigits = 18): boolean {
  const found = FORM.exec(text)
  return found !== null && (found[2] ?? '').length <= 30 && (found[3] ?? '').length <= mostDigits
}

/** The one way to write the number. @throws RangeError for what is no decimal number. */
export function canonical(text: string): Decimal {
  return write(read(text))
}

export function add(left: Decimal, right: Decimal): Decimal {
  const [a, b, scale] = level(read(left), read(right))
  return write({ units: a + b, scale })
}

export function sum(values: Iterable<Decimal>): Decimal {
  let total: Exact = { units: 0n, scale: 0 }
  for (const value of values) {
    const [a, b, scale] = level(total, read(value))
    total = { units: a + b, scale }
  }
  return write(total)
}

export function negate(value: Decimal): Decimal {
  const { units, scale } = read(value)
  return write({ units: -units, scale })
}

export function subtract(left: Decimal, right: Decimal): Decimal {
  return add(left, negate(right))
}

export function multiply(left: Decimal, right: Decimal): Decimal {
  const [a, b] = [read(left), read(right)]
  return write({ units: a.units * b.units, scale: a.scale + b.scale })
}

/** -1, 0 or 1, as for sorting. */
export function compare(left: Decimal, right: Decimal): -1 | 0 | 1 {
  const [a, b] = level(read(left), read(right))
  return a < b ? -1 : a > b ? 1 : 0
}

export function least(left: Decimal, right: Decimal): Decimal {
  return compare(left, right) <= 0 ? left : right
}

/**
 * The quotient where it is a finite decimal: where the divisor, reduced, has no other prime factors than 2 and 5.
 *
 * @returns `null` where it would go on for ever, as 1 / 3 does.
 */
export function divideExactly(value: Decimal, divisor: bigint): Decimal | null {
  if (divisor <= 0n) throw new RangeError(`not a divisor: ${divisor}`)
  const { units, scale } = read(value)
  let rest = divisor / greatestCommonDivisor(units < 0n ? -units : units, divisor)
  let [twos, fives] = [0, 0]
  for (; rest % 2n === 0n; rest /= 2n) twos += 1
  for (; rest % 5n === 0n; rest /= 5n) fives += 1
  if (rest !== 1n) return null
  const more = Math.max(twos, fives)
  return write({ units: (units * 10n ** BigInt(more)) / divisor, scale: scale + more })
}

/** How many digits stand behind the point. */
export function digitsOf(value: Decimal): number {
  return read(canonical(value)).scale
}

/**
 * To `digits` behind the point; a half goes to the even neighbour (IEEE 754 roundTiesToEven), so that many roundings
 * do not lean to one side.
 */
export function roundHalfEven(value: Decimal, digits: number): Decimal {
  const { units, scale } = read(value)
  if (scale <= digits) return write({ units, scale })
  const step = 10n ** BigInt(scale - digits)
  const size = units < 0n ? -units : units
  const [whole, over] = [size / step, (size % step) * 2n]
  const up = over > step || (over === step && whole % 2n === 1n)
  const rounded = whole + (up ? 1n : 0n)
  return write({ units: units < 0n ? -rounded : rounded, scale: digits })
}

/** With exactly `digits` behind the point, as amounts of money are shown. Does not round. */
export function withDigits(value: Decimal, digits: number): string {
  const [whole = '0', behind = ''] = canonical(value).split('.')
  return digits === 0 && behind === '' ? whole : `${whole}.${behind.padEnd(digits, '0')}`
}

function read(text: string): Exact {
  const found = FORM.exec(text)
  if (found === null) throw new RangeError(`not a decimal number: ${text}`)
  const [, sign = '', whole = '', behind = ''] = found
  const units = BigInt(whole + behind)
  return { units: sign === '-' ? -units : units, scale: behind.length }
}

function write({ units, scale }: Exact): Decimal {
  const size = (units < 0n ? -units : units).toString().padStart(scale + 1, '0')
  const whole = size.slice(0, size.length - scale).replace(/^0+(?=\d)/, '')
  const behind = scale === 0 ? '' : size.slice(size.length - scale).replace(/0+$/, '')
  return `${units < 0n ? '-' : ''}${whole}${behind === '' ? '' : `.${behind}`}`
}

function level(left: Exact, right: Exact): [bigint, bigint, number] {
  const scale = Math.max(left.scale, right.scale)
  const lift = (value: Exact) => value.units * 10n ** BigInt(scale - value.scale)
  return [lift(left), lift(right), scale]
}

function greatestCommonDivisor(left: bigint, right: bigint): bigint {
  let [a, b] = [left, right]
  while (b !== 0n) [a, b] = [b, a % b]
  return a
}
