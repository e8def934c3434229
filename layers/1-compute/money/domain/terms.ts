import type { Decimal } from './decimal.ts'

/** ISO 4217. One tenant, one currency. */
export const CURRENCIES = ['CNY', 'USD', 'EUR'] as const
export type Currency = (typeof CURRENCIES)[number]

/** Digits of the smallest unit that is paid: a cent, a fen. */
export const MINOR_DIGITS: Readonly<Record<Currency, number>> = { CNY: 2, USD: 2, EUR: 2 }

/** One quantity to be paid. Quantities are whole numbers of the smallest unit. */
export const METER_KINDS = [
  'tokens.input',
  'tokens.cached',
  'tokens.output',
  'chip-seconds',
  'storage-byte-hours',
  'data-uses',
  'joules',
] as const
export type MeterKind = (typeof METER_KINDS)[number]

export const SCORE_CLASSES = ['specialist', 'all-rounder', 'developing'] as const
export type ScoreClass = (typeof SCORE_CLASSES)[number]

/** What a price is for: a kind of meter, or hours of CU in place of chip-seconds wherever CU is known. */
export type PriceUnit = MeterKind | 'cu-hours'

/** What of an event decides its price. */
export interface Priceable {
  readonly kind: MeterKind
  readonly quantity: bigint
  readonly model: string | null
  readonly product: string | null
  readonly scoreClass: ScoreClass | null
  /** Millionths of a CU-hour; `null` where the product is not measured. */
  readonly cuMicro: bigint | null
}

export interface PriceHours {
  /** 1 Monday ... 7 Sunday */
  readonly weekdays: readonly number[]
  /** `HH:MM` on the wall clock of the book's zone, before `to`; over midnight it takes two entries. */
  readonly from: string
  /** Exclusive; at most `24:00`. */
  readonly to: string
  readonly factor: Decimal
}

export interface PriceRule {
  /** Unique within the book's version. */
  readonly id: string
  readonly kind: PriceUnit
  /** What it is for; `null`: all that no narrower rule is for. */
  readonly model: string | null
  readonly product: string | null
  readonly scoreClass: ScoreClass | null
  /** Price of `per` units; of `cu-hours` the unit is a millionth of a CU-hour. */
  readonly price: Decimal
  readonly per: bigint
  /** Factors by the hour in the book's time zone; the first that fits counts, else 1. */
  readonly hours: readonly PriceHours[]
}

/** Never changed once published: a change is a further version. */
export interface PriceBook {
  readonly name: string
  readonly version: number
  readonly currency: Currency
  readonly timeZone: string
  readonly validFrom: Date
  readonly validTo: Date | null
  readonly rules: readonly PriceRule[]
  /** Taken off everything: 0.1 is a tenth. */
  readonly discount: Decimal
}
