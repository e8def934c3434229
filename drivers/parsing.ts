/** Reading what vendors print. Every function takes any text and never throws: a tool's output is not trusted. */

/** What tools print where they know nothing. Unknown is `null`, never 0. */
const UNKNOWN = new Set(['', '-', '--', 'n/a', 'na', 'none', 'null', 'unknown', 'unknown error', 'err!', 'xxx'])

/** Trimmed text, or `null` for any of the tools' words for "unknown"; whatever stands in brackets is one. */
export function textOrNull(raw: string | null | undefined): string | null {
  const text = raw?.trim() ?? ''
  return UNKNOWN.has(text.toLowerCase()) || /^\[.*\]$/.test(text) ? null : text
}

/** The number a cell starts with, any unit after it dropped (`97W`, `38 C`, `61.68MB`). */
export function numberOrNull(raw: string | null | undefined): number | null {
  const text = textOrNull(raw)
  if (text === null) return null
  const match = /^[+-]?\d{1,18}(?:\.\d{1,12})?/.exec(text)
  return match ? Number(match[0]) : null
}

/** A non-negative integer, or `null`. */
export function countOrNull(raw: string | null | undefined): number | null {
  const value = numberOrNull(raw)
  return value !== null && Number.isSafeInteger(value) && value >= 0 ? value : null
}

const MULTIPLES: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

/** Bytes of `8192 MiB`, `32K`, `2 MiB (2 instances)`; a bare number counts in `bareUnit` bytes. */
export function bytesOrNull(raw: string | null | undefined, bareUnit = 1): number | null {
  const text = textOrNull(raw)
  const match = text === null ? null : /^(\d{1,15}(?:\.\d{1,6})?)\s*([kmgt]?)(i?b)?(?![a-z])/i.exec(text)
  if (!match?.[1]) return null
  const prefix = match[2]?.toLowerCase() ?? ''
  const unit = prefix === '' && !match[3] ? bareUnit : (MULTIPLES[prefix] ?? 1)
  const bytes = Math.round(Number(match[1]) * unit)
  return Number.isSafeInteger(bytes) ? bytes : null
}

/**
 * The join key between a tool, sysfs and lspci: lower case, four-digit domain, nothing after the first blank.
 * Tools print `00000000:3B:00.0`, `0000:3b:00.0`, `00:01:00.0`, `0000:06:00.0 --> SN: ...`.
 */
export function normalizePciAddress(raw: string | null | undefined): string | null {
  const first = raw?.trim().split(/\s/)[0] ?? ''
  const match = /^(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7])$/i.exec(first)
  if (!match) return null
  const domain = (match[1] ?? '').replace(/^0+/, '').padStart(4, '0')
  return `${domain}:${(match[2] ?? '').padStart(2, '0')}:${(match[3] ?? '').padStart(2, '0')}.${match[4]}`.toLowerCase()
}

/** More logical processors than any machine of today; keeps a garbled `0-99999999999` from eating the memory. */
const MOST_CPUS = 65_536

/** `0-3,8` as `[0, 1, 2, 3, 8]`, sorted, without repeats; parts that are no range are skipped. */
export function parseCpuList(raw: string | null | undefined): number[] {
  const found = new Set<number>()
  for (const part of raw?.trim().split(',') ?? []) {
    const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part.trim())
    if (!match?.[1]) continue
    const last = Math.min(Number(match[2] ?? match[1]), MOST_CPUS)
    for (let cpu = Number(match[1]); cpu <= last; cpu += 1) found.add(cpu)
  }
  return [...found].sort((left, right) => left - right)
}

/** The inverse of {@link parseCpuList}. */
export function formatCpuList(cpus: readonly number[]): string {
  const parts: string[] = []
  for (let start = 0; start < cpus.length; ) {
    let end = start
    while (cpus[end + 1] === (cpus[end] ?? 0) + 1) end += 1
    parts.push(end === start ? `${cpus[start]}` : `${cpus[start]}-${cpus[end]}`)
    start = end + 1
  }
  return parts.join(',')
}

/** First `key : value` of each key, keys trimmed and lower-cased. */
export function parseKeyValues(text: string | null | undefined): Map<string, string> {
  const found = new Map<string, string>()
  for (const line of text?.split('\n') ?? []) {
    const colon = line.indexOf(':')
    if (colon <= 0) continue
    const key = line.slice(0, colon).trim().toLowerCase()
    if (!found.has(key)) found.set(key, line.slice(colon + 1).trim())
  }
  return found
}

/**
 * Comma-separated rows keyed by the header's names, a trailing ` [unit]` of a name dropped. The header is the first
 * line that has all of `required`; lines before it and lines with another number of cells (messages that tools mix
 * into their tables) come back as `other`.
 */
export function parseCsv(
  text: string,
  required: readonly string[],
): { readonly rows: readonly ReadonlyMap<string, string>[]; readonly other: readonly string[] } {
  const rows: Map<string, string>[] = []
  const other: string[] = []
  let header: readonly string[] | null = null
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '') continue
    const cells = line.split(',').map((cell) => cell.trim())
    const names: readonly string[] =
      header === null ? cells.map((cell) => cell.replace(/\s*\[[^\]]*\]$/, '').toLowerCase()) : []
    if (header === null && required.every((name) => names.includes(name))) header = names
    else if (header !== null && cells.length === header.length) rows.push(zip(header, cells))
    else other.push(line.trim())
  }
  return { rows, other }
}

function zip(header: readonly string[], cells: readonly string[]): Map<string, string> {
  return new Map(header.map((name, column) => [name, cells[column] ?? '']))
}
