import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countedAt, isMonth, isTimeZone, monthAt, monthFinder, monthStretch, wallTimeAt } from './zone.ts'

const ZONES = [
  'UTC',
  'Asia/Shanghai',
  'Asia/Kolkata',
  'America/New_York',
  'Europe/London',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'Pacific/Apia',
  'America/St_Johns',
  'America/Havana',
  'Asia/Tehran',
]
const zone = fc.constantFrom(...ZONES)
const instant = fc.integer({ min: Date.UTC(1975, 0), max: Date.UTC(2099, 11) })
/** Around the ends of months: more of the interesting hours than chance would bring. */
const aroundEnds = fc
  .tuple(fc.integer({ min: 1975, max: 2060 }), fc.nat(11), fc.integer({ min: -50_000_000, max: 50_000_000 }))
  .map(([year, month, ms]) => Date.UTC(year, month) + ms)

describe('months in a zone', () => {
  it('hold every instant exactly once and follow each other without gap', () => {
    fc.assert(
      fc.property(zone, fc.oneof(instant, aroundEnds), (timeZone, atMs) => {
        const { month, stretch } = monthAt(timeZone, atMs)
        expect(stretch.startMs <= atMs && atMs < stretch.endMs).toBe(true)
        expect(monthStretch(timeZone, month)).toEqual(stretch)
        expect(monthAt(timeZone, stretch.endMs).stretch.startMs).toBe(stretch.endMs)
        expect(monthAt(timeZone, stretch.startMs - 1).stretch.endMs).toBe(stretch.startMs)
        expect(wallTimeAt(timeZone, stretch.startMs).month).toBe(Number(month.slice(5)))
      }),
      { numRuns: 300 },
    )
  })

  it('are found the same in whatever order, as when a clock goes back', () => {
    fc.assert(
      fc.property(zone, fc.array(aroundEnds, { maxLength: 6 }), (timeZone, times) => {
        const find = monthFinder(timeZone)
        expect(times.map((atMs) => find(new Date(atMs)))).toEqual(times.map((atMs) => monthAt(timeZone, atMs).month))
      }),
      { numRuns: 60 },
    )
  })

  it.each([
    ['Asia/Shanghai', '2028-02', '2028-01-31T16:00Z', '2028-02-29T16:00Z'],
    ['America/New_York', '2026-03', '2026-03-01T05:00Z', '2026-04-01T04:00Z'],
    ['America/New_York', '2026-11', '2026-11-01T04:00Z', '2026-12-01T05:00Z'],
    ['Europe/London', '2026-12', '2026-12-01T00:00Z', '2027-01-01T00:00Z'],
  ])('%s %s', (timeZone, month, starts, ends) => {
    const { startMs, endMs } = monthStretch(timeZone, month)
    expect([new Date(startMs), new Date(endMs)]).toEqual([new Date(starts), new Date(ends)])
  })

  it('show a repeated hour twice and a skipped one never', () => {
    const minutes = (from: string) =>
      Array.from({ length: 3 }, (_, hour) => wallTimeAt('America/New_York', Date.parse(from) + hour * 3_600_000).minute)
    expect(minutes('2026-11-01T05:30Z')).toEqual([90, 90, 150])
    expect(minutes('2026-03-08T06:30Z')).toEqual([90, 210, 270])
    expect(wallTimeAt('Asia/Shanghai', Date.parse('2026-11-22T16:00Z'))).toMatchObject({ weekday: 1, minute: 0 })
  })

  it('count what ends at midnight to the day before', () => {
    const [from, to] = [new Date('2026-11-30T15:00Z'), new Date('2026-11-30T16:00Z')]
    expect(monthAt('Asia/Shanghai', countedAt(from, to).getTime()).month).toBe('2026-11')
    expect(monthAt('Asia/Shanghai', countedAt(to, to).getTime()).month).toBe('2026-12')
  })

  it('know names', () => {
    expect(ZONES.every(isTimeZone) && !isTimeZone('Mars/Olympus')).toBe(true)
    expect(['2026-11', '2026-13', '2026-1', '26-11'].map(isMonth)).toEqual([true, false, false, false])
  })
})
