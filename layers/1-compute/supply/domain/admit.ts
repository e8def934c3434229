/** Times in milliseconds since the Unix epoch. */
interface Times {
  readonly startedAt: number
  readonly endedAt: number
}

/** Last moment that a JavaScript date can name, in milliseconds since the Unix epoch. */
const LAST_DATE_MS = 8.64e15

/** Largest value of the database's `integer`. */
const LAST_INT32 = 2 ** 31 - 1

/**
 * Why a well-formed record cannot be stored, or null. One such record would otherwise fail its whole batch, and be
 * sent again for ever.
 */
export function whyUnstorable(record: Times & { readonly httpStatus: number }): string | null {
  const texts = Object.entries(record).flatMap(([name, value]) =>
    [value].flat().map((each): [string, unknown] => [name, each]),
  )
  for (const [name, value] of texts) {
    if (typeof value === 'string' && value.includes('\u0000')) return `${name}: a NUL character cannot be stored`
  }
  if (Math.abs(record.httpStatus) > LAST_INT32) return 'httpStatus: out of range'
  if (Math.abs(record.startedAt) > LAST_DATE_MS) return 'startedAt: not a date'
  if (Math.abs(record.endedAt) > LAST_DATE_MS) return 'endedAt: not a date'
  return null
}

/** Milliseconds of the request; null where the clock was set back meanwhile, for then it is not known. */
export function durationMs(record: Times): number | null {
  return record.endedAt >= record.startedAt ? record.endedAt - record.startedAt : null
}

/**
 * The database answers sums as text, because they may be larger than a number is exact.
 *
 * @throws {RangeError} beyond 2^53 - 1 rather than to answer a wrong sum.
 */
export function exactNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is larger than a number is exact`)
  return value
}
