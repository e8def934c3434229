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

const Z_975 = 1.959964

/**
 * 95 % expanded percentile bootstrap interval around `point`.
 *
 * The plain percentile interval of few values is too narrow. It is expanded to the tails that Student's t would take
 * at this number of values (T. Hesterberg, What Teachers Should Know about the Bootstrap, 2015, section 4): at five
 * repeats in effect the range of the resampled statistic. It contains `point` by construction: the maximum over
 * resampled peaks is biased low, and so is the variation. The README tells how far that leaves it from 95 %.
 *
 * @param count Values behind the statistic, the fewest where several samples enter.
 */
export function bootstrapInterval(
  point: number,
  statistic: (random: Random) => number,
  options: { readonly resamples: number; readonly count: number },
  random: Random,
): Interval {
  const values = Array.from({ length: options.resamples }, () => statistic(random))
  const tail = expandedTail(options.count)
  return {
    low: Math.min(point, quantile(values, tail)),
    high: Math.max(point, quantile(values, 1 - tail)),
  }
}

/** Share of the resampled values to leave out on each side so that `count` values cover 95 %. */
export function expandedTail(count: number): number {
  if (count < 2) return 0
  return normalTail(Math.sqrt(count / (count - 1)) * studentQuantile(count - 1))
}

/** 97.5 % quantile of Student's t by its expansion in 1/df (Abramowitz and Stegun 26.7.5); within 1 % from df 4 on. */
function studentQuantile(df: number): number {
  const z = Z_975
  return (
    z +
    (z ** 3 + z) / (4 * df) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * df ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * df ** 3)
  )
}

/** Probability of a standard normal value above `x` >= 0 (Abramowitz and Stegun 26.2.17, error below 1e-7). */
function normalTail(x: number): number {
  const t = 1 / (1 + 0.2316419 * x)
  const series = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429]
  const sum = series.reduceRight((total, coefficient) => (total + coefficient) * t, 0)
  return (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * sum
}
