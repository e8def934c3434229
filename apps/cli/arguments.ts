import { CliError } from './cli-error.ts'

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A span such as `90s`, `15m`, `2h`, `7d` in milliseconds. @throws CliError with exit code 2 */
export function span(flag: string, text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? []
  if (amount === undefined || unit === undefined)
    throw new CliError(2, `${flag} ${text} is not a span of time: write it as 90s, 15m, 2h or 7d`)
  return Number(amount) * (UNITS[unit] ?? 1_000)
}

/** A time: ISO 8601, or a span that counts back from now. @returns ISO 8601 in UTC @throws CliError with exit code 2 */
export function pastTime(flag: string, text: string): string {
  return new Date(
    /^\d+(?:\.\d+)?[smhd]$/.test(text) ? Date.now() - span(flag, text) : isoTime(flag, text),
  ).toISOString()
}

/** A time: ISO 8601, `now`, or `+2h` from now. @returns ISO 8601 in UTC @throws CliError with exit code 2 */
export function futureTime(flag: string, text: string): string {
  if (text === 'now') return new Date().toISOString()
  return new Date(text.startsWith('+') ? Date.now() + span(flag, text.slice(1)) : isoTime(flag, text)).toISOString()
}

function isoTime(flag: string, text: string): number {
  const date = new Date(text)
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(date.getTime())) return date.getTime()
  throw new CliError(2, `${flag} ${text} is not a time: write it as 2027-01-31T18:00Z, or as a span such as 2h`)
}

/** A whole number within bounds. @throws CliError with exit code 2 */
export function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new CliError(2, `${flag} ${text} is not a whole number from ${least} to ${most}`)
}

/** One of some words. @throws CliError with exit code 2 */
export function oneOf<Word extends string>(flag: string, text: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === text)
  if (found === undefined) throw new CliError(2, `${flag} ${text} is none of: ${words.join(', ')}`)
  return found
}
