/** A stretch of time, `startMs` inclusive and `endMs` exclusive, in milliseconds since the Unix epoch. */
export interface Stretch {
  readonly startMs: number
  readonly endMs: number
}

export interface WallTime {
  readonly year: number
  /** 1 to 12 */
  readonly month: number
  /** 1 Monday to 7 Sunday */
  readonly weekday: number
  /** Since the wall clock's midnight: 0 to 1439. */
  readonly minute: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** No zone is further than this from UTC. */
const MOST_OFFSET_MS = 16 * HOUR_MS
/** Since 1972 zones change at whole quarters of an hour, so within one the wall clock only goes forward. */
const STEP_MS = 15 * MINUTE_MS

/**
 * The instant that decides to which price, hour and month something metered belongs: its last millisecond. So what
 * ends at midnight belongs to the day before. What has no duration belongs where it happened.
 */
export function countedAt(startedAt: Date, endedAt: Date): Date {
  return endedAt > startedAt ? new Date(endedAt.getTime() - 1) : endedAt
}

export function isTimeZone(name: string): boolean {
  try {
    formatOf(name)
    return true
  } catch {
    return false
  }
}

/** What the clock on the wall shows; a repeated hour shows the same twice. */
export function wallTimeAt(timeZone: string, atMs: number): WallTime {
  const wall = new Date(wallMsAt(timeZone, atMs))
  return {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth() + 1,
    weekday: wall.getUTCDay() === 0 ? 7 : wall.getUTCDay(),
    minute: wall.getUTCHours() * 60 + wall.getUTCMinutes(),
  }
}

/** A calendar month such as `2026-11`. */
export function isMonth(text: string): boolean {
  return /^(?:19[7-9]\d|2\d{3})-(?:0[1-9]|1[0-2])$/.test(text)
}

/**
 * A calendar month in a zone. It begins at the first instant at which the wall clock shows its first day or later,
 * so months follow each other without gap or overlap whatever the clock does at midnight.
 */
export function monthStretch(timeZone: string, month: string): Stretch {
  const [year = 0, number = 0] = month.split('-').map(Number)
  return {
    startMs: firstInstantAt(timeZone, Date.UTC(year, number - 1)),
    endMs: firstInstantAt(timeZone, Date.UTC(year, number)),
  }
}

/** The month an instant belongs to: exactly one. */
export function monthAt(timeZone: string, atMs: number): { readonly month: string; readonly stretch: Stretch } {
  const { year, month } = wallTimeAt(timeZone, atMs)
  // Where the clock goes back over midnight the wall shows the old month, though the new one has begun.
  for (const step of [1, 0]) {
    const first = new Date(Date.UTC(year, month - 1 + step))
    const name = first.toISOString().slice(0, 7)
    const stretch = monthStretch(timeZone, name)
    if (stretch.startMs <= atMs) return { month: name, stretch }
  }
  throw new RangeError(`no month for ${atMs} in ${timeZone}`)
}

/** Names the month of one instant after the other; neighbours in time cost next to nothing. */
export function monthFinder(timeZone: string): (at: Date) => string {
  let last: ReturnType<typeof monthAt> | null = null
  return (at) => {
    const atMs = at.getTime()
    if (last === null || atMs < last.stretch.startMs || atMs >= last.stretch.endMs) last = monthAt(timeZone, atMs)
    return last.month
  }
}

/** The earliest instant at which the wall clock reads `wallMs` (written as if it were UTC) or later. */
function firstInstantAt(timeZone: string, wallMs: number): number {
  const reached = (atMs: number) => wallMsAt(timeZone, atMs) >= wallMs
  let high = wallMs - MOST_OFFSET_MS
  while (!reached(high)) high += STEP_MS
  let low = high - STEP_MS
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (reached(middle)) high = middle
    else low = middle
  }
  return high
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** There are some 600 names of zones: kept, as making one costs more than a hundred uses. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known) return known
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
  formats.set(timeZone, format)
  return format
}

/** The wall clock's reading, written as if it were UTC. */
function wallMsAt(timeZone: string, atMs: number): number {
  const fields: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
  for (const { type, value } of formatOf(timeZone).formatToParts(atMs)) fields[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields
  const withinSecondMs = ((atMs % 1_000) + 1_000) % 1_000
  return Date.UTC(year, month - 1, day, hour, minute, second) + withinSecondMs
}
