import { findBdf, findCelsius, findMemory, findPower, findRatio, linesOf } from './lines.ts'
import { countOrNull, normalizePciAddress, textOrNull } from './parsing.ts'
import { type Reading, readingOf } from './reading.ts'

export interface BoxTable {
  readonly readings: readonly Reading[]
  /** `Label: value` pairs of the banner above the columns, labels lower-cased. */
  readonly banner: ReadonlyMap<string, string>
}

/**
 * Reads the framed tables that most tools print: some lines of headings over each other, then as many lines a chip.
 * A cell is read by the heading above it and by the shape of what stands in it, so further columns, other orders
 * and other numbers of lines do not matter. A chip begins with the row that has its PCI address.
 */
export function parseBoxTable(text: string): BoxTable {
  const rows = linesOf(text).filter((line) => line.includes('|') && !/^[\s|+=-]*$/.test(line))
  const headAt = rows.findIndex((row) => /bus-?id/i.test(row))
  const banner = readBanner(headAt < 0 ? rows : rows.slice(0, headAt))
  if (headAt < 0) return { readings: [], banner }
  const heads: (readonly string[])[] = []
  let at = headAt
  for (; at < rows.length && heads.length < 4; at += 1) {
    const cells = cellsOf(rows[at] ?? '')
    if (cells.some((cell) => /\d/.test(cell))) break
    heads.push(cells)
  }
  const chips: (readonly string[])[][] = []
  for (const row of rows.slice(at)) {
    if (/\bPID\b|process(?:es)?\b|\btype\b/i.test(row)) break
    const cells = cellsOf(row)
    if (opensChip(cells, heads[0] ?? [])) chips.push([cells])
    else chips.at(-1)?.push(cells)
  }
  return { readings: chips.map((lines) => readChip(heads, lines)), banner }
}

function cellsOf(row: string): readonly string[] {
  return row
    .trim()
    .replace(/^\|/, '')
    .replace(/\|$/, '')
    .split('|')
    .map((cell) => cell.trim())
}

function opensChip(cells: readonly string[], head: readonly string[]): boolean {
  const bus = cells[head.findIndex((name) => /bus-?id/i.test(name))] ?? ''
  const hasAddress = findBdf(bus) !== null || /^(?:N\/?A|ERR!|-+)/i.test(bus)
  return hasAddress && (cells.length >= head.length || head.length === 0) && /^\d{1,4}\b|^$/.test(cells[0] ?? 'x')
}

/** No banner is longer; text without any heading is not searched for labels to its end. */
const MOST_BANNER_ROWS = 30

function readBanner(rows: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const row of rows.slice(0, MOST_BANNER_ROWS)) {
    for (const match of row.matchAll(/([A-Za-z][A-Za-z .-]{2,30}?):?\s{1,60}(?=v?\d|hl-|unknown\b)(\S{1,60})/gi)) {
      const label = (match[1] ?? '').trim().toLowerCase().replace(/:$/, '')
      if (!found.has(label)) found.set(label, (match[2] ?? '').replace(/[+|,-]+$/, ''))
    }
  }
  return found
}

type Field = Partial<Reading>

/** What the headings may name; each reads its part of the cell by shape. */
const FIELDS: readonly (readonly [RegExp, (cell: string, head: string) => Field])[] = [
  [/\bname\b/i, readName],
  [/^(?:gpu|ppu|xpu|dev|aip)\s+(?:persist|id|idx)/i, (cell) => ({ index: countOrNull(cell.split(/\s/)[0]) })],
  [/bus-?id/i, (cell) => ({ pciAddress: normalizePciAddress(findBdf(cell)) })],
  [/temp/i, readTemperature],
  [/pwr|power/i, (cell) => readPower(cell)],
  [/\bmem(?:ory)?\b/i, (cell) => readMemory(cell)],
  [/util|dused/i, (cell) => ({ utilizationRatio: findRatio(cell) })],
  [/uncorr/i, (cell) => ({ eccErrorsUncorrected: /^\d+$/.test(cell) ? countOrNull(cell) : null })],
  [/fw ver/i, (cell) => ({ firmwareVersion: textOrNull(cell) })],
  [/\bsn\b/i, (cell) => ({ serial: /\b[A-Z0-9]{8,24}$/.exec(cell)?.[0] ?? null })],
  [/state/i, (cell) => ({ extra: { state: textOrNull(cell) } })],
  [
    /\bperf\b|\b[dl]pm\b/i,
    (cell) => ({ extra: { performance: /\b(?:P\d{1,2}|LP\d|Sleep|Active)\b/.exec(cell)?.[0] ?? null } }),
  ],
  [
    /virt/i,
    (cell) => ({ extra: { virtualization: /\b(?:SRIOV|Disable\w*|Enable\w*|MIG|VF|PF)\b/i.exec(cell)?.[0] ?? null } }),
  ],
  [/\becc\b(?!.*uncorr)/i, (cell) => ({ extra: { eccMode: /\b(?:Enable|Disable)\w*/i.exec(cell)?.[0] ?? null } })],
]

function readChip(heads: readonly (readonly string[])[], lines: readonly (readonly string[])[]): Reading {
  let reading = readingOf({})
  for (const [line, cells] of lines.entries()) {
    for (const [column, head] of (heads[line] ?? []).entries()) {
      const cell = cells[column] ?? ''
      for (const [pattern, read] of FIELDS) if (pattern.test(head)) reading = extend(reading, read(cell, head))
    }
  }
  // Some tools write this word where a card does not answer any more; the rest of its row is not worth believing.
  const failing = lines.flat().some((cell) => /\bERR!|\[?(?:GPU|device) is lost/i.test(cell))
  return failing
    ? {
        ...reading,
        health: 'lost',
        reasons: [{ code: 'health-reported', params: { tool: 'the table', value: 'ERR!' } }],
      }
    : reading
}

function extend(reading: Reading, field: Field): Reading {
  const known = Object.entries(field).filter(([, value]) => value !== null)
  return { ...reading, ...Object.fromEntries(known), extra: { ...reading.extra, ...field.extra } }
}

/** `0  HL-225   N/A` under `AIP  Name  Persistence-M`: number, name, and a flag that is no part of the name. */
function readName(cell: string, head: string): Field {
  const match = /^(\d{1,4})\s+(\S.*)$/.exec(cell)
  if (!match) return { product: null }
  const name = /persist/i.test(head)
    ? (match[2] ?? '').replace(/\s+(?:on|off|n\/?a|enabled?|disabled?)$/i, '')
    : match[2]
  const number = countOrNull(match[1])
  const product = textOrNull(name)
  return /board/i.test(head) ? { card: `board-${number}`, product } : { index: number, product }
}

/** A heading that begins with it has the figure first, which some versions print without a unit. */
function readTemperature(cell: string, head: string): Field {
  const bare = /^temp/i.test(head) ? (/^(\d{1,3})(?=\s|$)/.exec(cell)?.[1] ?? null) : null
  return { temperatureCelsius: findCelsius(cell) ?? (bare === null ? null : Number(bare)) }
}

function readPower(cell: string): Field {
  const { draw, limit } = findPower(cell)
  return { powerWatts: draw, extra: { powerLimitWatts: limit } }
}

function readMemory(cell: string): Field {
  const { used, total } = findMemory(cell)
  return { memoryUsedBytes: used, memoryTotalBytes: total }
}
