/**
 * What is remembered of one metric of one chip over the last hour, in minutes, so that `increased-by` needs no query.
 * At most 61 entries. Times in milliseconds since the epoch.
 */
export interface Trail {
  readonly last: number
  readonly lastAtMs: number
  /** Counters: growth within each minute. Others: first value of each minute. Oldest first. */
  readonly minutes: readonly (readonly [minuteMs: number, value: number])[]
}

const MINUTE_MS = 60_000
const WINDOW_MS = 60 * MINUTE_MS

/**
 * Adds a reading. A counter that fell was reset (driver reloaded, host restarted): what it shows now has been
 * counted since. The first reading ever is where counting begins; it is no increase.
 *
 * @returns the trail as it was where the reading is not newer.
 */
export function extend(trail: Trail | null, value: number, atMs: number, counter: boolean): Trail {
  const minuteMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS
  if (trail === null) return { last: value, lastAtMs: atMs, minutes: counter ? [] : [[minuteMs, value]] }
  if (atMs <= trail.lastAtMs) return trail
  const kept = trail.minutes.filter(([startMs]) => startMs > atMs - WINDOW_MS - MINUTE_MS)
  const growth = value >= trail.last ? value - trail.last : value
  const minutes = counter ? withGrowth(kept, minuteMs, growth) : withFirst(kept, minuteMs, value)
  return { last: value, lastAtMs: atMs, minutes }
}

/** Growth within the hour before `nowMs`, to the minute (at most a minute more); null where nothing was read in it. */
export function increase(trail: Trail | null, nowMs: number, counter: boolean): number | null {
  if (trail === null || trail.lastAtMs <= nowMs - WINDOW_MS) return null
  const within = trail.minutes.filter(([startMs]) => startMs + MINUTE_MS > nowMs - WINDOW_MS)
  if (counter) return within.reduce((sum, [, growth]) => sum + growth, 0)
  return trail.last - (within[0]?.[1] ?? trail.last)
}

function withGrowth(minutes: Trail['minutes'], minuteMs: number, growth: number): Trail['minutes'] {
  if (growth === 0) return minutes
  const newest = minutes.at(-1)
  if (newest?.[0] === minuteMs) return [...minutes.slice(0, -1), [minuteMs, newest[1] + growth]]
  return [...minutes, [minuteMs, growth]]
}

function withFirst(minutes: Trail['minutes'], minuteMs: number, value: number): Trail['minutes'] {
  return minutes.at(-1)?.[0] === minuteMs ? minutes : [...minutes, [minuteMs, value]]
}
