export type Resolution = 'raw' | 'minute' | 'hour'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** The longest period that is read at each resolution: what is kept of it, and a little for the edges. */
export const LONGEST_MS: Readonly<Record<Resolution, number>> = { raw: DAY_MS, minute: 31 * DAY_MS, hour: 732 * DAY_MS }

export const MOST_POINTS = 1_500

/** The finest that is still kept for the whole period and does not read more than a picture can show. */
export function fittingResolution(fromMs: number, toMs: number, nowMs: number): Resolution {
  const ageMs = nowMs - fromMs
  const rangeMs = toMs - fromMs
  if (rangeMs <= 6 * HOUR_MS && ageMs <= DAY_MS) return 'raw'
  return rangeMs <= 4 * DAY_MS && ageMs <= 30 * DAY_MS ? 'minute' : 'hour'
}

/** Width of one point, a whole number of `unitMs`, such that the period has no more than {@link MOST_POINTS}. */
export function pointWidth(fromMs: number, toMs: number, unitMs: number): number {
  // One less: the period may begin and end within a point.
  return unitMs * Math.max(Math.ceil((toMs - fromMs) / unitMs / (MOST_POINTS - 1)), 1)
}

export interface Point {
  readonly atMs: number
  readonly min: number | null
  readonly mean: number | null
  readonly max: number | null
  readonly samples: number
}

export interface Points {
  add(atMs: number, reading: { count: number; min: number; mean: number; max: number }): void
  /** In order of time. */
  finish(): Point[]
}

/** Merges readings into points of one width, each at the beginning of its time. */
export function gatherPoints(widthMs: number): Points {
  const points = new Map<number, { min: number; sum: number; max: number; samples: number }>()
  return {
    add(atMs, { count, min, mean, max }) {
      const start = Math.floor(atMs / widthMs) * widthMs
      const point = points.get(start)
      if (point) {
        point.min = Math.min(point.min, min)
        point.max = Math.max(point.max, max)
        point.sum += mean * count
        point.samples += count
      } else {
        points.set(start, { min, max, sum: mean * count, samples: count })
      }
    },
    finish: () =>
      [...points]
        .sort(([a], [b]) => a - b)
        .map(([atMs, { min, max, sum, samples }]) => ({
          atMs,
          min,
          mean: Math.min(Math.max(sum / samples, min), max),
          max,
          samples,
        })),
  }
}
