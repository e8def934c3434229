import type { CapacityChip, Confidence, Sheet } from './capacity-input.ts'

/** A chip with what its sheet says; null: no sheet. */
export interface RatedChip {
  readonly chip: CapacityChip
  readonly sheet: Sheet | null
}

export interface Petaflops {
  readonly dtype: string
  readonly nominal: number
  readonly effective: number | null
  readonly measuredShare: number
  readonly confidence: Confidence
  readonly sparse: boolean
}

/** The event whose efficiency is that of arithmetic: a long prompt is bound by it, a decoded token by bandwidth. */
export const COMPUTE_BOUND_EVENT = 'prefill'

const TERA_PER_PETA = 1_000
const WORST_FIRST: readonly Confidence[] = ['low', 'medium', 'high']

/** Operations a second of one chip in PFLOPS (10^15); null where its sheet does not say. A chip that is gone has none. */
export function peakOf({ chip, sheet }: RatedChip, dtype: string, sparse = false): number | null {
  const peak = sheet?.peaks.find((each) => each.dtype === dtype && each.sparse === sparse)
  return peak && chip.state !== 'absent' ? peak.teraops / TERA_PER_PETA : null
}

/**
 * Measured linear efficiency of a chip's arithmetic; null where it was not measured. Above 1 it is the roof that was
 * measured too low (proving allows 5 %): then nominal is as good as it gets.
 */
function efficiencyOf(chip: CapacityChip): number | null {
  const measured = chip.efficiency[COMPUTE_BOUND_EVENT] ?? null
  return measured === null ? null : Math.min(Math.max(measured, 0), 1)
}

/** Null where no chip has such a peak. */
export function figureOf(chips: readonly RatedChip[], dtype: string, sparse: boolean): Petaflops | null {
  let nominal = 0
  let measured = 0
  let effective = 0
  let worst: Confidence | null = null
  for (const rated of chips) {
    const peak = peakOf(rated, dtype, sparse)
    if (peak === null || rated.sheet === null) continue
    nominal += peak
    worst = worseOf(worst, rated.sheet.confidence)
    const efficiency = efficiencyOf(rated.chip)
    if (efficiency === null) continue
    measured += peak
    effective += peak * efficiency
  }
  if (worst === null || nominal <= 0) return null
  const share = measured / nominal
  return { dtype, nominal, effective: measured > 0 ? effective : null, measuredShare: share, confidence: worst, sparse }
}

/** One figure for each kind of peak that these chips have, by name, dense before sparse. */
export function figuresOf(chips: readonly RatedChip[]): readonly Petaflops[] {
  const peaks = new Map(
    chips.flatMap(({ sheet }) => sheet?.peaks ?? []).map((peak) => [`${peak.dtype} ${peak.sparse}`, peak]),
  )
  const ordered = [...peaks].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, peak]) => peak)
  return ordered.flatMap(({ dtype, sparse }) => figureOf(chips, dtype, sparse) ?? [])
}

function worseOf(left: Confidence | null, right: Confidence): Confidence {
  return WORST_FIRST.find((each) => each === left || each === right) ?? right
}
