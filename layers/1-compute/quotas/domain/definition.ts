import type { FieldError } from '@medley/kernel'
import { isWant } from './request.ts'
import { QUOTA_LEVELS, QUOTA_WINDOWS, type QuotaLevel, type QuotaResource, type QuotaWindow } from './terms.ts'
import { isTimeZone } from './windows.ts'

export interface Definition {
  readonly tenantId: string
  readonly level: QuotaLevel
  readonly subjectId: string
  readonly resource: QuotaResource
  readonly kind: string | null
  readonly window: QuotaWindow
  readonly timeZone: string
  readonly limit: bigint
  readonly mode: 'hard' | 'soft'
  readonly warnRatio: number
}

/** PostgreSQL's bigint less the space that sums need. */
const MOST_LIMIT = 8n * 10n ** 18n

/** What is held at a time, and what flows by: the one is given back, the other never. CU are limited either way. */
const HELD: readonly QuotaResource[] = ['cards', 'storage', 'apps']
const FLOWING: readonly QuotaResource[] = ['tokens', 'requests']

export function faultsOf(quota: Definition): readonly FieldError[] {
  const { level, subjectId, resource, kind, window, limit, warnRatio } = quota
  const isLevel = window === 'level'
  const checks: readonly (readonly [boolean, string, string])[] = [
    [QUOTA_LEVELS.includes(level), 'level', `one of ${QUOTA_LEVELS.join(', ')}`],
    [level !== 'tenant' || subjectId === quota.tenantId, 'subjectId', 'the tenant itself, for a quota of a tenant'],
    [isWant({ resource, kind, amount: 0n }), 'resource', 'a known resource, and a kind that is null or not empty'],
    [subjectId !== '' && !subjectId.includes('\u0000'), 'subjectId', 'not empty'],
    [QUOTA_WINDOWS.includes(window), 'window', `one of ${QUOTA_WINDOWS.join(', ')}`],
    [isLevel || !HELD.includes(resource), 'window', `level: ${resource} are held at a time, not used up over time`],
    [!isLevel || !FLOWING.includes(resource), 'window', `minute, day or month: nobody gives ${resource} back`],
    [isTimeZone(quota.timeZone), 'timeZone', 'a name of the IANA time zone database'],
    [limit >= 0n && limit <= MOST_LIMIT, 'limit', 'from 0 to 8 * 10^18'],
    [quota.mode === 'hard' || quota.mode === 'soft', 'mode', 'hard or soft'],
    [warnRatio > 0 && warnRatio <= 1, 'warnRatio', 'above 0, at most 1'],
  ]
  return checks.filter(([sound]) => !sound).map(([, path, message]) => ({ path, message }))
}

const MILLIONTHS = 1_000_000n

/** The least amount that reaches the share, exact also where a double is not. */
export function warnAmount(limit: bigint, warnRatio: number): bigint {
  const millionths = BigInt(Math.round(warnRatio * Number(MILLIONTHS)))
  return (limit * millionths + MILLIONTHS - 1n) / MILLIONTHS
}
