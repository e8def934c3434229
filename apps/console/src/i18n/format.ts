import { useMemo } from 'react'
import { useLocale } from './locale.tsx'
import type { Locale } from './locales.ts'

/** A no-break space keeps a number and its unit on one line. */
const gap = '\u00a0'

const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const
const decimalPrefixes = ['', 'k', 'M', 'G', 'T', 'P', 'E'] as const

function scale(value: number, base: number, last: number): { readonly value: number; readonly step: number } {
  let scaled = value
  let step = 0
  while (Math.abs(scaled) >= base && step < last) {
    scaled /= base
    step += 1
  }
  return { value: scaled, step }
}

export interface Format {
  /** Whole things: requests, tokens, cores. */
  count(value: number): string
  /** A measurement to three significant digits, with its unit when given. */
  measure(value: number, unit?: string): string
  /** A raw sample, as precise as it was taken. */
  exact(value: number, unit?: string): string
  /** A large whole number where space is short: `12.3K`. */
  compact(value: number): string
  /** One decimal: what a 0-100 score can honestly carry. */
  score(value: number): string
  percent(ratio: number): string
  bytes(value: number): string
  /** Operations or bytes per second with a decimal prefix: `1.2 TFLOP/s`. */
  rate(value: number, unit: string): string
  milliseconds(value: number): string
  /** A length of time in its largest fitting unit: `90 seconds`, `1 hour`, `30 days`. */
  span(seconds: number): string
  /** Date and time with the zone. */
  time(iso: string): string
  date(iso: string): string
  /** `3 minutes ago`. */
  relative(iso: string, now?: number): string
}

type Step = readonly ['day' | 'hour' | 'minute' | 'second', number]
const relativeSteps: readonly Step[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]

/** Numbers and dates of one language; pure, so that it can be tested without a page. */
export function createFormat(locale: Locale): Format {
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 })
  const upToThree = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 })
  const fullThree = new Intl.NumberFormat(locale, { minimumSignificantDigits: 3, maximumSignificantDigits: 3 })
  const six = new Intl.NumberFormat(locale, { maximumSignificantDigits: 6 })
  const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumSignificantDigits: 3 })
  // A zero has no significant digits to show.
  const three = (value: number) => (value === 0 ? '0' : fullThree.format(value))
  const tenth = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 })
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumSignificantDigits: 3 })
  const dateTime = new Intl.DateTimeFormat(locale, {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
  })
  const zone = new Intl.DateTimeFormat(locale, { timeZoneName: 'short' })
  const day = new Intl.DateTimeFormat(locale, { month: 'short', day: 'numeric' })
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  // Chinese print sets a digit off from the character beside it; the formatter does not.
  const unitOf = (unit: 'day' | 'hour' | 'minute' | 'second') =>
    new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 1 })
  const spaced = (text: string) => text.replace(/(\d)(?=\p{Script=Han})|(\p{Script=Han})(?=\d)/gu, `$&${gap}`)
  const withUnit = (text: string, unit: string | undefined) => (unit === undefined ? text : `${text}${gap}${unit}`)
  return {
    count: (value) => whole.format(value),
    measure: (value, unit) => withUnit(three(value), unit),
    exact: (value, unit) => withUnit(six.format(value), unit),
    compact: (value) => spaced(compact.format(value)),
    score: (value) => tenth.format(value),
    percent: (ratio) => percent.format(ratio),
    bytes: (value) => {
      const scaled = scale(value, 1024, binaryUnits.length - 1)
      return withUnit(upToThree.format(scaled.value), binaryUnits[scaled.step])
    },
    rate: (value, unit) => {
      const scaled = scale(value, 1000, decimalPrefixes.length - 1)
      return withUnit(three(scaled.value), `${decimalPrefixes[scaled.step] ?? ''}${unit}`)
    },
    milliseconds: (value) => (value >= 10_000 ? withUnit(three(value / 1000), 's') : withUnit(three(value), 'ms')),
    span: (seconds) => {
      // Two of a unit at least, or a whole number of them: an hour and a half reads better in minutes.
      const fits = (length: number) => seconds >= length * 2 || (seconds > 0 && seconds % length === 0)
      const [unit, size] = relativeSteps.find(([, length]) => fits(length)) ?? ['second', 1]
      return spaced(unitOf(unit).format(seconds / size))
    },
    time: (iso) => {
      const moment = new Date(iso)
      const name = zone.formatToParts(moment).find(({ type }) => type === 'timeZoneName')?.value
      // Left to itself, Chinese puts the zone between date and time.
      return name === undefined ? dateTime.format(moment) : `${dateTime.format(moment)} ${name}`
    },
    date: (iso) => spaced(day.format(new Date(iso))),
    relative: (iso, now = Date.now()) => {
      const seconds = Math.round((Date.parse(iso) - now) / 1000)
      const [unit, size] = relativeSteps.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1]
      return spaced(relative.format(Math.trunc(seconds / size), unit))
    },
  }
}

export function useFormat(): Format {
  const { locale } = useLocale()
  return useMemo(() => createFormat(locale), [locale])
}
