import type { Quantum } from './quantise.ts'

export interface RollupShape {
  /** Minutes of an hour, or hours of a day. */
  readonly slots: number
  readonly chips: number
  readonly metrics: number
}

/**
 * Least, mean and greatest code and the number of readings, by metric, chip and slot; `count` 0 where there is none.
 * Flat arrays: an hour of a node has some eight thousand of each.
 */
export interface Rollup extends RollupShape {
  readonly count: Uint32Array
  readonly min: Float64Array
  readonly mean: Float64Array
  readonly max: Float64Array
}

/** Place of a reading in the arrays of a {@link Rollup}. */
export const placeOf = ({ slots, chips }: RollupShape, metric: number, chip: number, slot: number) =>
  (metric * chips + chip) * slots + slot

export interface RollupBuilder {
  add(
    metric: number,
    chip: number,
    slot: number,
    reading: { count: number; min: number; mean: number; max: number },
  ): void
  finish(): Rollup
}

/** Means are of values, weighted by their readings: codes of rates are not proportional to them. */
export function buildRollup(shape: RollupShape, quanta: readonly Quantum[]): RollupBuilder {
  const size = shape.slots * shape.chips * shape.metrics
  const count = new Uint32Array(size)
  const min = new Float64Array(size)
  const max = new Float64Array(size)
  const sum = new Float64Array(size)
  return {
    add(metric, chip, slot, reading) {
      const at = placeOf(shape, metric, chip, slot)
      const before = count[at] ?? 0
      min[at] = before === 0 ? reading.min : Math.min(min[at] ?? 0, reading.min)
      max[at] = before === 0 ? reading.max : Math.max(max[at] ?? 0, reading.max)
      sum[at] = (sum[at] ?? 0) + (quanta[metric]?.fromCode(reading.mean) ?? 0) * reading.count
      count[at] = before + reading.count
    },
    finish() {
      const perMetric = shape.chips * shape.slots
      for (let at = 0; at < size; at += 1) {
        const readings = count[at] ?? 0
        if (readings === 0) continue
        const code = quanta[Math.floor(at / perMetric)]?.toCode((sum[at] ?? 0) / readings) ?? 0
        // Rounding must not put a mean outside of what was read.
        sum[at] = Math.min(Math.max(code, min[at] ?? 0), max[at] ?? 0)
      }
      return { ...shape, count, min, mean: sum, max }
    },
  }
}
