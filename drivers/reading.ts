import type { ChipFacts } from '@medley/fleet/protocol'
import { chipOf } from './outputs.ts'
import type { HealthReason } from './reasons.ts'

/**
 * What one output of one tool says of one chip. `null` is "not said here": another output of the same poll may
 * say it, so readings of several commands are joined before a chip is made of them.
 */
export interface Reading {
  readonly index: number | null
  readonly uuid: string | null
  readonly serial: string | null
  readonly pciAddress: string | null
  readonly product: string | null
  /** What the tool calls the card where it tells card and chip apart, such as a board number. */
  readonly card: string | null
  readonly chipOnCard: number | null
  readonly memoryTotalBytes: number | null
  readonly memoryUsedBytes: number | null
  readonly utilizationRatio: number | null
  readonly temperatureCelsius: number | null
  readonly powerWatts: number | null
  readonly cardPowerWatts: number | null
  /** What the tool itself says of the chip's state; `null` where it lists the chip without a word of it. */
  readonly health: 'degraded' | 'lost' | 'unusable' | 'unknown' | null
  readonly reasons: readonly HealthReason[]
  readonly driverVersion: string | null
  readonly firmwareVersion: string | null
  readonly numaNode: number | null
  readonly eccErrorsUncorrected: number | null
  readonly computeUnits: number | null
  readonly features: readonly string[]
  readonly linkWidth: number | null
  readonly linkWidthMax: number | null
  readonly extra: ChipFacts['extra']
}

const NOTHING: Reading = {
  index: null,
  uuid: null,
  serial: null,
  pciAddress: null,
  product: null,
  card: null,
  chipOnCard: null,
  memoryTotalBytes: null,
  memoryUsedBytes: null,
  utilizationRatio: null,
  temperatureCelsius: null,
  powerWatts: null,
  cardPowerWatts: null,
  health: null,
  reasons: [],
  driverVersion: null,
  firmwareVersion: null,
  numaNode: null,
  eccErrorsUncorrected: null,
  computeUnits: null,
  features: [],
  linkWidth: null,
  linkWidthMax: null,
  extra: {},
}

/** A reading that says `parts` and nothing else. */
export function readingOf(parts: Partial<Reading>): Reading {
  return { ...NOTHING, ...parts }
}

/** Worst first: what two outputs say of one chip is as bad as the worse of them. */
const BY_GRAVITY = ['lost', 'unusable', 'degraded', 'unknown'] as const

/** Joins readings of the same chip from several outputs; what an earlier one says is not overruled. */
export function joinReadings(outputs: readonly (readonly Reading[])[]): Reading[] {
  const joined: Reading[] = []
  for (const reading of outputs.flat()) {
    const at = joined.findIndex((known) => isSame(known, reading))
    const known = joined[at]
    if (known === undefined) joined.push(reading)
    else joined[at] = fill(known, reading)
  }
  return joined
}

function isSame(left: Reading, right: Reading): boolean {
  // A tool may print one chip's uuid as `0x5c88` and another as `GPU-5c88`.
  const [one, other] = [bareUuid(left.uuid), bareUuid(right.uuid)]
  if (one !== null && other !== null) return one === other
  if (left.pciAddress !== null && right.pciAddress !== null) return left.pciAddress === right.pciAddress
  return left.index !== null && left.index === right.index
}

function bareUuid(uuid: string | null): string | null {
  return uuid === null ? null : uuid.toLowerCase().replace(/^(?:0x|gpu-)/, '')
}

function fill(known: Reading, more: Reading): Reading {
  const filled = Object.fromEntries(
    Object.entries(known).map(([name, value]) => [name, value ?? more[name as keyof Reading]]),
  )
  return {
    ...(filled as unknown as Reading),
    health: BY_GRAVITY.find((health) => health === known.health || health === more.health) ?? null,
    reasons: [...known.reasons, ...more.reasons],
    features: [...new Set([...known.features, ...more.features])],
    extra: { ...more.extra, ...Object.fromEntries(Object.entries(known.extra).filter(([, value]) => value !== null)) },
  }
}

/** The chip of a reading; a product that the tool does not name is `fallbackProduct`. */
export function chipOfReading(vendor: string, fallbackProduct: string, reading: Reading): ChipFacts {
  const { card, chipOnCard, health, reasons, linkWidth, linkWidthMax, uuid, features, ...facts } = reading
  const all = [...reasons, ...degradations(reading)]
  return chipOf({
    ...facts,
    vendor,
    ...(uuid === null ? {} : { uuid }),
    ...(card === null ? {} : { cardKey: `${vendor}-${card}` }),
    ...(chipOnCard === null ? {} : { chipOnCard }),
    product: reading.product ?? fallbackProduct,
    index: count(reading.index),
    memoryTotalBytes: count(reading.memoryTotalBytes),
    memoryUsedBytes: count(reading.memoryUsedBytes),
    eccErrorsUncorrected: count(reading.eccErrorsUncorrected),
    computeUnits: count(reading.computeUnits),
    cardPowerWatts: reading.cardPowerWatts ?? reading.powerWatts,
    health: health ?? (all.length > 0 ? 'degraded' : 'healthy'),
    healthReasons: all.map((reason) => ({ code: reason.code, params: { ...reason.params } })),
    features: [...features],
    extra: { ...reading.extra, ...(linkWidth === null ? {} : { pcieWidth: linkWidth, pcieWidthMax: linkWidthMax }) },
  })
}

function count(value: number | null): number | null {
  return value !== null && Number.isSafeInteger(value) && value >= 0 ? value : null
}

function degradations({ eccErrorsUncorrected, linkWidth, linkWidthMax }: Reading): HealthReason[] {
  const found: HealthReason[] = []
  if (eccErrorsUncorrected) found.push({ code: 'ecc-uncorrected', params: { count: String(eccErrorsUncorrected) } })
  // The speed of an idle link drops to save power, its width does not.
  if (linkWidth && linkWidthMax && linkWidth < linkWidthMax) {
    found.push({ code: 'link-narrow', params: { current: String(linkWidth), maximum: String(linkWidthMax) } })
  }
  return found
}

/** Chips of one card share its key; the power that a tool prints on one of them is the card's, once. */
export function numberCards(readings: readonly Reading[]): Reading[] {
  const cards = Map.groupBy(readings, (reading) => reading.card)
  return readings.map((reading) => {
    const onCard = reading.card === null ? [reading] : (cards.get(reading.card) ?? [reading])
    // A card with one chip is known by the chip's own place.
    if (onCard.length < 2) return { ...reading, card: null }
    const printed = onCard.filter((chip) => chip.powerWatts !== null)
    const shared = printed.length === 1 ? (printed[0]?.powerWatts ?? null) : null
    const sum =
      printed.length === onCard.length ? printed.reduce((total, chip) => total + (chip.powerWatts ?? 0), 0) : null
    return {
      ...reading,
      chipOnCard: reading.chipOnCard ?? onCard.indexOf(reading),
      cardPowerWatts: reading.cardPowerWatts ?? shared ?? sum,
    }
  })
}
