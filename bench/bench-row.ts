/** One line of a bench's answer: a measured value, beside what it is held against. */
export interface BenchRow {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What the value is held against, measured in the same run or cited; null where there is nothing to compare. */
  readonly anchor: string | null
  /** Null when the anchor could not be had here. */
  readonly anchorValue: number | null
  /** `value / anchorValue`. */
  readonly ratio: number | null
  /** Such as `>= 0.80`, on the ratio where there is an anchor, else on the value; null for a reported row. */
  readonly bar: string | null
  /** Null when the row has no bar, or its anchor is missing (a bench then exits with 5). */
  readonly holds: boolean | null
  /** How the value came about, where its name does not say. */
  readonly note?: string
}

export interface Measured {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly anchor: string
  readonly anchorValue: number | null
  readonly note?: string
}

/** A row whose ratio to its anchor must reach `least`. */
export function barRow(measured: Measured, least: number): BenchRow {
  const ratio = ratioOf(measured)
  return { ...measured, ratio, bar: `>= ${least.toFixed(2)}`, holds: ratio === null ? null : ratio >= least }
}

/** A row that must not pass `most`: by its ratio where it has an anchor, else by its value. */
export function limitRow(
  measured: Omit<Measured, 'anchor' | 'anchorValue'> & Partial<Pick<Measured, 'anchor' | 'anchorValue'>>,
  most: number,
): BenchRow {
  const bar = `<= ${most.toFixed(2)}`
  if (measured.anchor === undefined)
    return { ...measured, anchor: null, anchorValue: null, ratio: null, bar, holds: measured.value <= most }
  const anchored = { ...measured, anchor: measured.anchor, anchorValue: measured.anchorValue ?? null }
  const ratio = ratioOf(anchored)
  return { ...anchored, ratio, bar, holds: ratio === null ? null : ratio <= most }
}

/** A row that is shown beside the others and decides nothing. */
export function reportedRow(measured: Measured): BenchRow {
  return { ...measured, ratio: ratioOf(measured), bar: null, holds: null }
}

function ratioOf({ value, anchorValue }: Measured): number | null {
  return anchorValue === null || anchorValue <= 0 ? null : value / anchorValue
}
