import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isTimeZone, windowAt } from './windows.ts'

const ZONES = [
  'UTC',
  'Asia/Shanghai',
  'Asia/Kolkata',
  'America/New_York',
  'Europe/London',
  // Half an hour of daylight saving.
  'Australia/Lord_Howe',
  // Midnight skipped; a date left out; the clock back from 00:01; daylight saving suspended for Ramadan.
  'America/Sao_Paulo',
  'Pacific/Apia',
  'America/St_Johns',
  'Africa/Casablanca',
  'America/Havana',
  'Asia/Tehran',
  // Two days at once in 1969.
  'Pacific/Kwajalein',
]
const zone = fc.constantFrom(...ZONES)
const timed = fc.constantFrom('minute', 'day', 'month')
const instant = fc.integer({ min: Date.UTC(1930, 0), max: Date.UTC(2099, 11) })
/** Most zones change around these months: more of the interesting hours than chance would bring. */
const aroundChanges = fc
  .tuple(fc.integer({ min: 1970, max: 2037 }), fc.constantFrom(1, 2, 3, 8, 9, 10, 11), fc.nat(31 * 86_400_000))
  .map(([year, month, ms]) => Date.UTC(year, month) + ms)
const atMs = fc.oneof(instant, aroundChanges)

/** The date on the wall, by the other way round: from the language's own formatting. */
function wallDate(timeZone: string, at: number): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at)
}

describe('windowAt', () => {
  it('puts every instant into exactly one window, and windows follow each other without gap or overlap', () => {
    fc.assert(
      fc.property(zone, timed, atMs, fc.double({ min: 0, max: 1, noNaN: true }), (timeZone, window, at, share) => {
        const { startMs, endMs } = windowAt(window, timeZone, at)
        expect(startMs <= at && at < endMs).toBe(true)
        // Every other instant of the window says the same, in whatever order they are asked.
        const other = startMs + Math.floor((endMs - 1 - startMs) * share)
        for (const inside of [startMs, other, endMs - 1]) {
          expect(windowAt(window, timeZone, inside)).toEqual({ startMs, endMs })
        }
        expect(windowAt(window, timeZone, endMs).startMs).toBe(endMs)
        expect(windowAt(window, timeZone, startMs - 1).endMs).toBe(startMs)
      }),
      { numRuns: 1_500 },
    )
  })

  it('begins when the wall clock first shows a new date, and months with the first day of theirs', () => {
    fc.assert(
      fc.property(zone, atMs, (timeZone, at) => {
        const day = windowAt('day', timeZone, at)
        expect(wallDate(timeZone, day.startMs) > wallDate(timeZone, day.startMs - 1)).toBe(true)
        expect(wallDate(timeZone, day.endMs) > wallDate(timeZone, day.startMs)).toBe(true)
        const month = windowAt('month', timeZone, at)
        expect(windowAt('day', timeZone, month.startMs).startMs).toBe(month.startMs)
        expect(wallDate(timeZone, month.startMs).slice(0, 7) > wallDate(timeZone, month.startMs - 1).slice(0, 7)).toBe(
          true,
        )
        expect(month.startMs <= day.startMs && day.endMs <= month.endMs).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['a plain day', 'day', 'Asia/Shanghai', '2026-11-23T04:00Z', '2026-11-22T16:00Z', '2026-11-23T16:00Z'],
    [
      'a day with a skipped hour',
      'day',
      'America/New_York',
      '2026-03-08T12:00Z',
      '2026-03-08T05:00Z',
      '2026-03-09T04:00Z',
    ],
    [
      'a day with a repeated hour',
      'day',
      'America/New_York',
      '2026-11-01T12:00Z',
      '2026-11-01T04:00Z',
      '2026-11-02T05:00Z',
    ],
    ['half an hour more', 'day', 'Australia/Lord_Howe', '2026-04-05T00:00Z', '2026-04-04T13:00Z', '2026-04-05T13:30Z'],
    ['midnight skipped', 'day', 'America/Sao_Paulo', '2018-11-04T12:00Z', '2018-11-04T03:00Z', '2018-11-05T02:00Z'],
    [
      'midnight reached twice',
      'day',
      'America/St_Johns',
      '2010-11-07T03:00Z',
      '2010-11-07T02:30Z',
      '2010-11-08T03:30Z',
    ],
    ['a date left out', 'day', 'Pacific/Apia', '2011-12-30T09:59Z', '2011-12-29T10:00Z', '2011-12-30T10:00Z'],
    ['and the day after it', 'day', 'Pacific/Apia', '2011-12-30T10:00Z', '2011-12-30T10:00Z', '2011-12-31T10:00Z'],
    [
      'February of a leap year',
      'month',
      'Asia/Shanghai',
      '2028-02-29T15:59Z',
      '2028-01-31T16:00Z',
      '2028-02-29T16:00Z',
    ],
    ['the end of a year', 'month', 'Europe/London', '2026-12-31T23:59Z', '2026-12-01T00:00Z', '2027-01-01T00:00Z'],
    [
      'a month with a skipped hour',
      'month',
      'Europe/London',
      '2026-03-31T23:30Z',
      '2026-03-31T23:00Z',
      '2026-04-30T23:00Z',
    ],
    [
      'a minute in a repeated hour',
      'minute',
      'America/New_York',
      '2026-11-01T06:30:59Z',
      '2026-11-01T06:30Z',
      '2026-11-01T06:31Z',
    ],
  ] as const)('%s', (_, window, timeZone, at, start, end) => {
    const found = windowAt(window, timeZone, Date.parse(at))
    expect(new Date(found.startMs)).toEqual(new Date(start))
    expect(new Date(found.endMs)).toEqual(new Date(end))
  })

  it('knows the zones there are', () => {
    expect(ZONES.every(isTimeZone)).toBe(true)
    expect(['', 'Mars/Olympus', 'Asia/Shanghai '].some(isTimeZone)).toBe(false)
    expect(() => windowAt('day', 'Mars/Olympus', 0)).toThrow(RangeError)
  })
})
