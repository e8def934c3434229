import type { Localized } from '@medley/kernel'
import type { CapacityChip, CapacityInput, CapacityState, ChipUsage, IdleCause } from './capacity-input.ts'
import { COMPUTE_BOUND_EVENT, figureOf, figuresOf, type Petaflops, peakOf, type RatedChip } from './figures.ts'
import { findSheet, withOverrides } from './sheet.ts'

export interface Capacity {
  readonly at: Date
  readonly assumption: { readonly dtype: string; readonly sparse: boolean; readonly text: Localized }
  readonly headline: Petaflops | null
  readonly byVendor: readonly {
    readonly vendor: string
    readonly domestic: boolean | null
    readonly simulated: boolean
    readonly chips: number
    readonly chipsWithoutSheet: number
    readonly products: readonly string[]
    readonly figures: readonly Petaflops[]
    readonly states: Readonly<Partial<Record<CapacityState, number>>>
  }[]
  readonly byState: readonly { readonly state: CapacityState; readonly chips: number; readonly nominal: number }[]
  readonly domestic: {
    readonly ofChips: number | null
    readonly ofCardHours: number | null
    readonly ofTokens: number | null
    readonly idle: readonly { readonly cause: IdleCause; readonly chips: number; readonly nominal: number }[]
  }
}

/** One dtype at one time, for the history. PFLOPS, dense. */
export interface CapacitySnapshot {
  readonly dtype: string
  readonly nominal: number
  readonly effective: number | null
  /** Nominal figure of the chips on which work may be placed. */
  readonly usable: number
  readonly chips: number
}

const STATES: readonly CapacityState[] = ['healthy', 'degraded', 'unknown', 'lost', 'unusable', 'no-driver', 'absent']
const CAUSES: readonly IdleCause[] = ['no-demand', 'cordoned', 'maintenance', 'quarantined', 'not-usable', 'away']

/**
 * Supply in PFLOPS. Nominal: the peak of the product's sheet times the chips that are there. Effective: of the chips
 * with a score, each one's nominal figure times its measured linear efficiency in prefill, which arithmetic bounds.
 * Simulated chips have rows of their own in `byVendor` and are in nothing else.
 */
export function computeCapacity(input: CapacityInput): Capacity {
  const rated = rate(input)
  const real = rated.filter(({ chip }) => !chip.simulated)
  return {
    at: input.at,
    assumption: { dtype: input.dtype, sparse: false, text: assumptionText(input.dtype, real) },
    headline: figureOf(real, input.dtype, false),
    byVendor: vendorRows(input, rated),
    byState: STATES.flatMap((state) => {
      const there = real.filter(({ chip }) => chip.state === state)
      return there.length > 0 ? [{ state, chips: there.length, nominal: nominalOf(there, input.dtype) }] : []
    }),
    domestic: domesticShare(input, real),
  }
}

/** What is kept of a capacity over time: one entry for each dtype that real chips have. */
export function snapshotsOf(input: CapacityInput): readonly CapacitySnapshot[] {
  const real = rate(input).filter(({ chip }) => !chip.simulated)
  const dense = figuresOf(real).filter(({ sparse }) => !sparse)
  return dense.map(({ dtype, nominal, effective }) => {
    const counted = real.filter((each) => peakOf(each, dtype) !== null)
    const usable = nominalOf(
      counted.filter(({ chip }) => chip.usable),
      dtype,
    )
    return { dtype, nominal, effective, usable, chips: counted.length }
  })
}

function rate({ chips, vendors, overrides }: CapacityInput): readonly RatedChip[] {
  const sheets = new Map(vendors.map((vendor) => [vendor.name, withOverrides(vendor, overrides)]))
  const found = new Map<string, RatedChip['sheet']>()
  return chips.map((chip) => {
    const key = `${chip.vendor}\u0000${chip.product}`
    const known = found.get(key)
    const sheet = known === undefined ? findSheet(chip.product, sheets.get(chip.vendor) ?? []) : known
    found.set(key, sheet)
    return { chip, sheet }
  })
}

function vendorRows({ vendors }: CapacityInput, rated: readonly RatedChip[]): Capacity['byVendor'] {
  const domestic = new Map(vendors.map((vendor) => [vendor.name, vendor.domestic]))
  const groups = groupBy(rated, ({ chip }) => `${chip.vendor}\u0000${chip.simulated ? 1 : 0}`)
  const ordered = [...groups].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, chips]) => chips)
  return ordered.flatMap((chips) => {
    const [first] = chips
    if (!first) return []
    const { vendor, simulated } = first.chip
    return [
      {
        vendor,
        domestic: domestic.get(vendor) ?? null,
        simulated,
        chips: chips.length,
        chipsWithoutSheet: chips.filter(({ sheet }) => sheet === null).length,
        products: [...new Set(chips.map(({ chip }) => chip.product))].sort(),
        figures: figuresOf(chips),
        states: countStates(chips),
      },
    ]
  })
}

function countStates(chips: readonly RatedChip[]): Partial<Record<CapacityState, number>> {
  const counts: Partial<Record<CapacityState, number>> = {}
  for (const { chip } of chips) counts[chip.state] = (counts[chip.state] ?? 0) + 1
  return counts
}

function domesticShare(input: CapacityInput, real: readonly RatedChip[]): Capacity['domestic'] {
  const domesticOf = new Map(input.vendors.map(({ name, domestic }) => [name, domestic]))
  // Of a processor, say, it cannot be told: such chips are on neither side of the share.
  const told = real.filter(({ chip }) => (domesticOf.get(chip.vendor) ?? null) !== null)
  const usage = new Map(input.usage.map((each) => [each.chipUuid, each]))
  const isDomestic = ({ chip }: RatedChip) => domesticOf.get(chip.vendor) === true
  const share = (weight: (rated: RatedChip) => number) => shareOf(told, isDomestic, weight)
  const domestic = told.filter((each) => isDomestic(each) && each.chip.state !== 'absent')
  const byCause = groupBy(domestic, ({ chip }) => idleCause(chip, usage.get(chip.uuid)) ?? '')
  return {
    ofChips: share(({ chip }) => (chip.state === 'absent' ? 0 : 1)),
    ofCardHours: share(({ chip }) => usage.get(chip.uuid)?.busySeconds ?? 0),
    ofTokens: share(({ chip }) => usage.get(chip.uuid)?.tokens ?? 0),
    idle: CAUSES.flatMap((cause) => {
      const chips = byCause.get(cause) ?? []
      return chips.length > 0 ? [{ cause, chips: chips.length, nominal: nominalOf(chips, input.dtype) }] : []
    }),
  }
}

/** A chip that may be used and was not asked for anything in a day is idle for want of demand. */
function idleCause(chip: CapacityChip, usage: ChipUsage | undefined): IdleCause | null {
  if (!chip.usable) return chip.cause ?? 'not-usable'
  const busy = (usage?.busySeconds ?? 0) > 0 || (usage?.tokens ?? 0) > 0
  return busy ? null : 'no-demand'
}

function shareOf<Item>(
  items: readonly Item[],
  within: (item: Item) => boolean,
  weight: (item: Item) => number,
): number | null {
  let part = 0
  let whole = 0
  for (const item of items) {
    whole += weight(item)
    if (within(item)) part += weight(item)
  }
  return whole > 0 ? part / whole : null
}

function nominalOf(chips: readonly RatedChip[], dtype: string): number {
  return chips.reduce((sum, each) => sum + (peakOf(each, dtype) ?? 0), 0)
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): ReadonlyMap<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}

function assumptionText(dtype: string, real: readonly RatedChip[]): Localized {
  const there = real.filter(({ chip }) => chip.state !== 'absent')
  const left = there.filter((each) => peakOf(each, dtype) === null).length
  const event = COMPUTE_BOUND_EVENT
  return {
    en:
      `Nominal: ${dtype}, dense (no sparsity), the peak on each product's sheet times its chips; ${left} of ` +
      `${there.length} chips have no such figure and count as none. Effective: only chips with a score, each times ` +
      `its measured linear efficiency in ${event}, which is against the chip's own measured roof. Simulated chips ` +
      'are not in it.',
    'zh-CN':
      `标称算力：${dtype} 稠密（不计稀疏），按各型号规格书峰值乘以芯片数；${there.length} 颗芯片中有 ${left} ` +
      `颗没有该精度的数据，不计入。有效算力：仅统计已测评的芯片，标称值乘以其 ${event} 单项实测线性效率` +
      '（相对该芯片自身的实测上限）。模拟芯片不计入。',
  }
}
