import type { Fact } from '@medley/fleet'
import { ratioOf } from './outputs.ts'

/** Far above what any table or log has; bounds the work that a pattern can make of garbage. */
const MOST_LINE_CHARACTERS = 600

/** Lines of an output without trailing blanks. Over-long ones, which no table or log has, come back cut. */
export function linesOf(text: string): string[] {
  return text.split('\n').map((line) => line.slice(0, MOST_LINE_CHARACTERS).trimEnd())
}

const BDF = /\b(?:[0-9a-f]{1,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\b/i

/** The first PCI address in a text, as printed. */
export function findBdf(text: string): string | null {
  return BDF.exec(text)?.[0] ?? null
}

/** Degrees Celsius behind a number: `39 C`, `34℃`, `41°C`. */
export function findCelsius(text: string): number | null {
  const found = /(?<![\w.])(-?\d{1,3}(?:\.\d{1,3})?)\s?(?:°?C\b|℃|\ufffd+C?(?=\s|$))/.exec(text)?.[1]
  return found === undefined ? null : Number(found)
}

/** `0%` and `12.5 %` as a share of one. */
export function findRatio(text: string): number | null {
  const found = /(?<![\w.])(\d{1,3}(?:\.\d{1,4})?)\s?%/.exec(text)?.[1]
  return found === undefined ? null : ratioOf(Number(found))
}

const WATTS = String.raw`(?<![\w.])(\d{1,5}(?:\.\d{1,3})?)\s?W\b`
const UNKNOWN_WATTS = String.raw`(?<!\w)(N/?A|-{1,3})(?!\w)`
const GAP = String.raw`\s{0,9}/\s{0,9}`

/** Usage and cap as tools print them; in the cell of one stand readings of other kinds, some of them unknown too. */
const POWERS = [
  new RegExp(`${WATTS}${GAP}${WATTS.replace('(?<![\\w.])', '')}`, 'i'),
  new RegExp(`${WATTS}${GAP}${UNKNOWN_WATTS}`, 'i'),
  new RegExp(`${UNKNOWN_WATTS}${GAP}${WATTS}`, 'i'),
  new RegExp(String.raw`${WATTS}\s{1,9}${WATTS}`, 'i'),
  new RegExp(WATTS, 'i'),
]

/** Usage and cap of `53W / 450W`, `105W  300W`, `97W / NA`, `71W`, `N/A`. */
export function findPower(text: string): { readonly draw: number | null; readonly limit: number | null } {
  const match = POWERS.map((pattern) => pattern.exec(text)).find((found) => found !== null)
  return { draw: watts(match?.[1]), limit: watts(match?.[2]) }
}

function watts(text: string | undefined): number | null {
  const value = /\d+(?:\.\d+)?/.exec(text ?? '')?.[0]
  return value === undefined ? null : Number(value)
}

const UNITS: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

/** Bytes of `858/65536 MiB`, `768MiB / 98304MiB`, `15146M / 65536M`; one figure alone is the total. */
export function findMemory(text: string): { readonly used: number | null; readonly total: number | null } {
  const pair =
    /(\d{1,12}(?:\.\d{1,3})?)\s?([kmgt]?)(?:i?b)?(?:ytes)?\s?\/\s{0,9}(\d{1,12}(?:\.\d{1,3})?)\s?([kmgt])(?:i?b)?/i.exec(
      text,
    )
  if (pair) {
    const unit = pair[4] ?? 'm'
    return { used: bytes(pair[1], pair[2] || unit), total: bytes(pair[3], unit) }
  }
  const total = /(?<![\w.])(\d{1,12}(?:\.\d{1,3})?)\s?([kmgt])i?b/i.exec(text)
  return { used: null, total: total ? bytes(total[1], total[2] ?? 'm') : null }
}

function bytes(figure: string | undefined, unit: string): number {
  return Math.round(Number(figure) * (UNITS[unit.toLowerCase()] ?? 1))
}

/** Names and values of a matrix such as `topo -m` prints: links between devices, and what each is near to. */
export function parseTopology(text: string): Readonly<Record<string, Fact>> | null {
  const lines = linesOf(text)
  const headerAt = lines.findIndex(
    (line) => (line.match(/\b[A-Z]{2,6}\d{1,3}\b/g)?.length ?? 0) > 1 && /^\s/.test(line),
  )
  const header = lines[headerAt]?.trim().split(/\s{2,}|\t+/) ?? []
  const devices = header.filter((name) => /^[A-Z]{2,6}\d{1,3}$/.test(name))
  if (devices.length === 0) return null
  const links: Record<string, Fact> = {}
  const affinities: Record<string, Fact> = {}
  for (const line of lines.slice(headerAt + 1)) {
    const [name, ...cells] = line.trim().split(/\s+/)
    if (name === undefined || !devices.includes(name) || cells.length < devices.length) continue
    links[name] = Object.fromEntries(devices.map((device, column) => [device, cells[column] ?? null]))
    const further = header.slice(devices.length).map((label, column) => [label, cells[devices.length + column] ?? null])
    affinities[name] = Object.fromEntries(further)
  }
  return { devices, links, affinities }
}
