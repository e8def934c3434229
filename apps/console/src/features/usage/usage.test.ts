import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { UsageEvent } from '../../shared/api/types.ts'
import { usageCsv } from './csv.ts'
import { niceCeiling } from './day-chart.tsx'
import { lastDays } from './last-days.ts'

const event: UsageEvent = {
  id: 'use_1',
  requestId: 'req_1',
  keyId: 'key_1',
  endpoint: '/v1/chat/completions',
  model: 'a,"b"',
  revisionId: null,
  chipUuids: ['c1', 'c2'],
  outcome: 'refused',
  httpStatus: 429,
  errorCode: '=1+1',
  stream: true,
  promptTokens: null,
  cachedTokens: null,
  completionTokens: 0,
  timeToFirstTokenMs: null,
  durationMs: null,
  occurredAt: '2026-11-23T10:00:00Z',
}

describe('usageCsv', () => {
  it('quotes, disarms formulas, and tells unknown from zero', () => {
    const [, row] = usageCsv([event]).split('\r\n')
    expect(row).toBe(
      '2026-11-23T10:00:00Z,req_1,key_1,/v1/chat/completions,"a,""b""",,c1 c2,refused,429,\'=1+1,true,,,0,,',
    )
  })
})

describe('lastDays', () => {
  it('has one entry per day, ending today', () => {
    const groups = [{ group: '2026-11-22', requests: 2, promptTokens: 3, completionTokens: 4 }]
    const days = lastDays(groups, new Date('2026-11-23T00:30:00Z'), 3)
    expect(days.map(({ day, requests }) => [day, requests])).toEqual([
      ['2026-11-21', 0],
      ['2026-11-22', 2],
      ['2026-11-23', 0],
    ])
  })
})

describe('niceCeiling', () => {
  it('is never below the value and never far above', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000_000 }), (value) => {
        const top = niceCeiling(value)
        expect(top).toBeGreaterThanOrEqual(value)
        expect(top).toBeLessThanOrEqual(value * 2)
      }),
    )
  })
})
