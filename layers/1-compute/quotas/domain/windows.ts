import type { QuotaWindow } from './terms.ts'

/** A stretch of time, `startMs` inclusive and `endMs` exclusive, in milliseconds since the Unix epoch. */
export interface Stretch {
  readonly startMs: number
  readonly endMs: number
}

export type TimedWindow = Exclude<QuotaWindow, 'level'>

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** No zone was ever further than this from UTC: local mean time in Manila was 15:56 behind before 1844. */
const MOST_OFFSET_MS = 16 * HOUR_MS

/**
 * The window an instant belongs to: exactly one, and windows follow each other without gap or overlap.
 *
 * A day begins at the first instant at which the zone's wall clock has reached midnight or passed it. So a day with
 * a skipped hour is 23 hours and one with a repeated hour 25; where midnight itself is skipped the day begins at
 * 01:00; where the clock goes back over midnight the repeated hour stays with the day that has begun; a date that a
 * zone left out has no window. Months begin as their first day does. Minutes are the same in all zones, as offsets
 * have been whole minutes since 1972.
 *
 * @throws RangeError when the zone is not known.
 */
export function windowAt(window: TimedWindow, timeZone: string, atMs: number): Stretch {
  if (window === 'minute') {
    const startMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS
    return { startMs, endMs: startMs + MINUTE_MS }
  }
  const offsetAt = offsetsOf(timeZone)
  const wall = new Date(atMs + offsetAt(atMs))
  const boundary = (step: number) =>
    window === 'day'
      ? Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate() + step)
      : Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth() + step)
  let startMs = firstInstantAt(offsetAt, boundary(0))
  // The next may have begun already: the clock went back over midnight, or a date was left out.
  for (let step = 1; ; step += 1) {
    const endMs = firstInstantAt(offsetAt, boundary(step))
    if (endMs > atMs) return { startMs, endMs }
    startMs = endMs
  }
}

export function isTimeZone(name: string): boolean {
  try {
    offsetsOf(name)
    return true
  } catch {
    return false
  }
}

/** Milliseconds that a zone's wall clock is ahead of UTC at an instant. */
type OffsetAt = (atMs: number) => number

/**
 * The earliest instant at which the wall clock reads `wallMs` (written as if it were UTC) or later. Goes through the
 * stretches of constant offset around it in order, so it holds for skipped and repeated times alike.
 */
function firstInstantAt(offsetAt: OffsetAt, wallMs: number): number {
  let fromMs = wallMs - MOST_OFFSET_MS
  let offset = offsetAt(fromMs)
  while (true) {
    const hit = Math.max(fromMs, wallMs - offset)
    const change = nextChange(offsetAt, fromMs, Math.min(hit, wallMs + MOST_OFFSET_MS))
    if (change === null) return hit
    fromMs = change
    offset = offsetAt(fromMs)
  }
}

/** The first instant in (`fromMs`, `toMs`] with another offset than `fromMs` has; changes are hours apart. */
function nextChange(offsetAt: OffsetAt, fromMs: number, toMs: number): number | null {
  const offset = offsetAt(fromMs)
  for (let lowMs = fromMs; lowMs < toMs; lowMs += HOUR_MS) {
    const highMs = Math.min(lowMs + HOUR_MS, toMs)
    if (offsetAt(highMs) !== offset) return bisect(offsetAt, lowMs, highMs)
  }
  return null
}

function bisect(offsetAt: OffsetAt, lowMs: number, highMs: number): number {
  const offset = offsetAt(lowMs)
  let [low, high] = [lowMs, highMs]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle) === offset) low = middle
    else high = middle
  }
  return high
}

function offsetsOf(timeZone: string): OffsetAt {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (atMs) => {
    const fields: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
    for (const { type, value } of format.formatToParts(atMs)) fields[type] = Number(value)
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields
    const wholeSecondMs = Math.floor(atMs / 1_000) * 1_000
    return Date.UTC(year, month - 1, day, hour, minute, second) - wholeSecondMs
  }
}
