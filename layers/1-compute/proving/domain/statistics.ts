/** A source of numbers in [0, 1). */
export type Random = () => number

/** @throws {RangeError} for an empty list: the mean of nothing is unknown, not 0. */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('mean of an empty list')
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Coefficient of variation with the sample deviation (n - 1); null below two values or at a mean of 0. */
export function variation(values: readonly number[]): number | null {
  if (values.length < 2) return null
  const centre = mean(values)
  if (centre === 0) return null
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1)) / Math.abs(centre)
}

/** Quantile by linear interpolation between order statistics (type 7 of Hyndman and Fan, 1996). */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('quantile of an empty list')
  const sorted = values.toSorted((left, right) => left - right)
  const place = share * (sorted.length - 1)
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}

export function resample(values: readonly number[], random: Random): number[] {
  return values.map(() => values[Math.floor(random() * values.length)] ?? Number.NaN)
}

/** Small deterministic generator (mulberry32): enough for resampling, never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface Interval {
  readonly low: number
  readonly high: number
}

/**
 * Percentile bootstrap interval around `point`. With five repeats a resample can take few different values and the
 * interval is too narrow (its true coverage is nearer 0.8 than 0.95): it shows the scatter of the samples, it does
 * not replace more repeats. It is widened to contain `point`, as the maximum over resampled peaks is biased low.
 */
export function bootstrapInterval(
  point: number,
  statistic: (random: Random) => number,
  options: { readonly resamples: number; readonly confidence: number },
  random: Random,
): Interval {
  const values = Array.from({ length: options.resamples }, () => statistic(random))
  const tail = (1 - options.confidence) / 2
  return {
    low: Math.min(point, quantile(values, tail)),
    high: Math.max(point, quantile(values, 1 - tail)),
  }
}
