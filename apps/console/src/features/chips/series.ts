import type { Gap, Series } from '../../shared/api/types.ts'

/** Ranges of time a reader may choose; the resolution follows from what the store keeps for how long. */
export const ranges = {
  '1h': { seconds: 3_600, resolution: 'raw' },
  '24h': { seconds: 86_400, resolution: 'raw' },
  '7d': { seconds: 7 * 86_400, resolution: 'minute' },
  '30d': { seconds: 30 * 86_400, resolution: 'hour' },
} as const
export type Range = keyof typeof ranges

export function rangeOf(text: string | undefined): Range {
  return text === '1h' || text === '7d' || text === '30d' ? text : '24h'
}

const stepMs = { raw: 15_000, minute: 60_000, hour: 3_600_000 } as const
/** The store never draws more than this many points; beyond it, neighbours are joined. */
const mostPoints = 600

/** One point of a line: time, lowest, mean, highest. `null` values break the line. */
export type Point = readonly [atMs: number, low: number | null, mean: number | null, high: number | null]

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length
}

function extreme(values: readonly (number | null)[], pick: (...values: number[]) => number): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : pick(...known)
}

/** Joins neighbours until few enough are left; extremes stay extremes. */
export function thinned(points: readonly Point[], most = mostPoints): readonly Point[] {
  const size = Math.ceil(points.length / most)
  if (size <= 1) return points
  return Array.from({ length: Math.ceil(points.length / size) }, (_, place) => {
    const part = points.slice(place * size, (place + 1) * size)
    return [
      part[0]?.[0] ?? 0,
      extreme(
        part.map(([, low]) => low),
        Math.min,
      ),
      meanOf(part.map(([, , mean]) => mean)),
      extreme(
        part.map(([, , , high]) => high),
        Math.max,
      ),
    ] as const
  })
}

/**
 * The points of a series as a line may be drawn through them: where readings are missing for longer than three steps
 * a point without values is put in, so that no line bridges a time in which nobody looked.
 */
export function linePoints(series: Pick<Series, 'points' | 'resolution'>): readonly Point[] {
  const points = thinned(series.points)
  const steps = points.slice(1).map(([at], place) => at - (points[place]?.[0] ?? at))
  const usual = steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0
  const longest = 3 * Math.max(usual, stepMs[series.resolution])
  return points.flatMap((point, place): readonly Point[] => {
    const before = points[place - 1]
    if (before === undefined || point[0] - before[0] <= longest) return [point]
    return [[before[0] + 1, null, null, null], point]
  })
}

/** Gaps of all series once each, oldest first, cut to the range that is shown. */
export function gapsIn(series: readonly Pick<Series, 'gaps'>[], fromMs: number, toMs: number): readonly Gap[] {
  const gaps = new Map(series.flatMap(({ gaps }) => gaps.map((gap) => [`${gap.from} ${gap.reason}`, gap])))
  return [...gaps.values()]
    .filter((gap) => Date.parse(gap.to) > fromMs && Date.parse(gap.from) < toMs)
    .sort((a, b) => Date.parse(a.from) - Date.parse(b.from))
}

export interface ReadingRow {
  readonly atMs: number
  /** Mean by metric; null where nothing was read. */
  readonly values: Readonly<Record<string, number | null>>
}

/** The series side by side, one row per time at which any was read. */
export function readingRows(series: readonly Pick<Series, 'metric' | 'points'>[]): readonly ReadingRow[] {
  const rows = new Map<number, Record<string, number | null>>()
  for (const { metric, points } of series) {
    for (const [atMs, , mean] of points) {
      const row = rows.get(atMs) ?? {}
      row[metric] = mean
      rows.set(atMs, row)
    }
  }
  return [...rows]
    .sort(([a], [b]) => a - b)
    .map(([atMs, known]) => ({
      atMs,
      values: Object.fromEntries(series.map(({ metric }) => [metric, known[metric] ?? null])),
    }))
}
