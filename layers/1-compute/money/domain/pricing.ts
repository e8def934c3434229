import type { FieldError } from '@medley/kernel'
import { canonical, compare, type Decimal, digitsOf, divideExactly, isDecimal, multiply, subtract } from './decimal.ts'
import {
  CURRENCIES,
  METER_KINDS,
  type Priceable,
  type PriceBook,
  type PriceHours,
  type PriceRule,
  type PriceUnit,
  SCORE_CLASSES,
} from './terms.ts'
import { isTimeZone, wallTimeAt } from './zone.ts'

/** Most digits behind the point of what one unit costs: enough for a byte by the price of a GiB (2^30). */
const UNIT_PRICE_DIGITS = 36

export interface Priced {
  readonly ruleId: string
  readonly unit: PriceUnit
  /** Of `unit`; for `cu-hours` in millionths. */
  readonly quantity: bigint
  /** Of one of `quantity`, with factor and discount. */
  readonly unitPrice: Decimal
  /** Exact: `quantity` x `unitPrice`, not rounded. */
  readonly amount: Decimal
}

/** Of the versions that are valid at an instant the highest counts. */
export function bookAt<Book extends PriceBook>(versions: readonly Book[], at: Date): Book | null {
  let found: Book | null = null
  for (const book of versions) {
    const covers = book.validFrom <= at && (book.validTo === null || at < book.validTo)
    if (covers && (found === null || book.version > found.version)) found = book
  }
  return found
}

/**
 * What an event costs: quantity x price / per x factor of the hour x (1 - discount), exactly.
 *
 * @param at the instant that counts, see `countedAt`
 * @returns `null` where the book has no price for it, which is not the same as nothing to pay.
 */
export function priceOf(book: PriceBook, event: Priceable, at: Date): Priced | null {
  const byCu = event.kind === 'chip-seconds' && event.cuMicro !== null ? narrowest(book.rules, 'cu-hours', event) : null
  const rule = byCu ?? narrowest(book.rules, event.kind, event)
  if (rule === null) return null
  const unitPrice = unitPriceOf(book, rule, factorAt(book, rule, at))
  if (unitPrice === null) return null
  const quantity = byCu !== null && event.cuMicro !== null ? event.cuMicro : event.quantity
  return { ruleId: rule.id, unit: rule.kind, quantity, unitPrice, amount: multiply(quantity.toString(), unitPrice) }
}

/** A model says more than a product, and a product more than a score class. */
function narrownessOf(rule: PriceRule): number {
  return (rule.model === null ? 0 : 4) + (rule.product === null ? 0 : 2) + (rule.scoreClass === null ? 0 : 1)
}

function narrowest(rules: readonly PriceRule[], unit: PriceUnit, event: Priceable): PriceRule | null {
  const fits = (wanted: string | null, given: string | null) => wanted === null || wanted === given
  let found: PriceRule | null = null
  for (const rule of rules) {
    const isFor =
      rule.kind === unit &&
      fits(rule.model, event.model) &&
      fits(rule.product, event.product) &&
      fits(rule.scoreClass, event.scoreClass)
    if (isFor && (found === null || narrownessOf(rule) > narrownessOf(found))) found = rule
  }
  return found
}

function factorAt(book: PriceBook, rule: PriceRule, at: Date): Decimal {
  if (rule.hours.length === 0) return '1'
  const { weekday, minute } = wallTimeAt(book.timeZone, at.getTime())
  const fits = (hours: PriceHours) =>
    hours.weekdays.includes(weekday) && minuteOf(hours.from) <= minute && minute < minuteOf(hours.to)
  return rule.hours.find(fits)?.factor ?? '1'
}

function unitPriceOf(book: PriceBook, rule: PriceRule, factor: Decimal): Decimal | null {
  const whole = multiply(multiply(rule.price, factor), subtract('1', book.discount))
  return divideExactly(whole, rule.per)
}

function minuteOf(time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number)
  return hour * 60 + minute
}

/** What must be mended before the book can be published; empty when it can. */
export function flawsOf(book: PriceBook): FieldError[] {
  const flaws: FieldError[] = []
  const expect = (holds: boolean, path: string, message: string) => {
    if (!holds) flaws.push({ path, message })
  }
  expect(book.name.trim() !== '', 'name', 'not empty')
  expect(Number.isInteger(book.version) && book.version > 0, 'version', 'a whole number from 1')
  expect(CURRENCIES.includes(book.currency), 'currency', `one of ${CURRENCIES.join(', ')}`)
  expect(isTimeZone(book.timeZone), 'timeZone', 'the IANA name of a zone, such as Asia/Shanghai')
  expect(book.validTo === null || book.validTo > book.validFrom, 'validTo', 'later than validFrom')
  const discountFits = isDecimal(book.discount, 6) && isWithin(book.discount, '0', '1')
  expect(discountFits, 'discount', 'from 0 to 1, at most 6 digits behind the point')
  expect(book.rules.length > 0, 'rules', 'at least one')
  const seen = new Set<string>()
  for (const [index, rule] of book.rules.entries()) {
    const path = `rules.${index}`
    const isFor = JSON.stringify([rule.kind, rule.model, rule.product, rule.scoreClass])
    expect(!seen.has(isFor), path, 'another rule is for the very same')
    expect(!seen.has(`id ${rule.id}`), `${path}.id`, 'another rule has this id')
    seen.add(isFor).add(`id ${rule.id}`)
    const own = flawsOfRule(rule, path)
    flaws.push(...own)
    if (own.length === 0 && discountFits) flaws.push(...infinitePrices(book, rule, path))
  }
  return flaws
}

function flawsOfRule(rule: PriceRule, path: string): FieldError[] {
  const flaws: FieldError[] = []
  const expect = (holds: boolean, field: string, message: string) => {
    if (!holds) flaws.push({ path: `${path}.${field}`, message })
  }
  expect(['cu-hours', ...METER_KINDS].includes(rule.kind), 'kind', 'a kind of meter, or cu-hours')
  expect(rule.scoreClass === null || SCORE_CLASSES.includes(rule.scoreClass), 'scoreClass', 'a score class')
  expect(isDecimal(rule.price) && compare(rule.price, '0') >= 0, 'price', 'a decimal number from 0')
  expect(rule.per > 0n, 'per', 'a whole number from 1')
  for (const [index, hours] of rule.hours.entries()) {
    const at = `hours.${index}`
    const days = hours.weekdays
    expect(days.length > 0 && days.every((day) => [1, 2, 3, 4, 5, 6, 7].includes(day)), `${at}.weekdays`, '1 to 7')
    const timed = [hours.from, hours.to].every((time) => /^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/.test(time))
    expect(timed && hours.from < hours.to, at, 'from before to, as HH:MM; over midnight it takes two entries')
    const factorFits = isDecimal(hours.factor, 6) && compare(hours.factor, '0') >= 0
    expect(factorFits, `${at}.factor`, 'from 0, at most 6 digits behind the point')
  }
  return flaws
}

/** With every factor the rule has: none may make a unit's price a number without end. */
function infinitePrices(book: PriceBook, rule: PriceRule, path: string): FieldError[] {
  const hasEnd = (factor: Decimal) => {
    const price = unitPriceOf(book, rule, factor)
    return price !== null && digitsOf(price) <= UNIT_PRICE_DIGITS
  }
  if (['1', ...rule.hours.map((hours) => canonical(hours.factor))].every(hasEnd)) return []
  const message = `price / per has no end within ${UNIT_PRICE_DIGITS} digits: choose a price that per divides, such as 3.6 per 3600`
  return [{ path: `${path}.price`, message }]
}

function isWithin(value: Decimal, from: Decimal, to: Decimal): boolean {
  return compare(value, from) >= 0 && compare(value, to) <= 0
}
