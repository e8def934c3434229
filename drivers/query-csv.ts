import { findBdf, linesOf } from './lines.ts'
import { ratioOf } from './outputs.ts'
import { bytesOrNull, countOrNull, normalizePciAddress, numberOrNull, textOrNull } from './parsing.ts'
import { type Reading, readingOf } from './reading.ts'

const MEBIBYTE = 2 ** 20

/** Column names of `--query-...`, whatever the vendor calls its chips in them. */
const COLUMNS: readonly (readonly [RegExp, (cell: string, unitBytes: number) => Partial<Reading>])[] = [
  [/^(?:index|device ?id|dev_?id)$/, (cell) => ({ index: countOrNull(cell) })],
  [/uuid/, (cell) => ({ uuid: textOrNull(cell) })],
  [/serial|(?:^|_)sn$/, (cell) => ({ serial: textOrNull(cell) })],
  [/bus_?id|bdf/, (cell) => ({ pciAddress: normalizePciAddress(cell) })],
  [/^(?:\w+_)?name$|product/, (cell) => ({ product: textOrNull(cell) })],
  [/driver/, (cell) => ({ driverVersion: textOrNull(cell) })],
  [/bios|firmware/, (cell) => ({ firmwareVersion: textOrNull(cell) })],
  [/memory.*total/, (cell, unit) => ({ memoryTotalBytes: bytesOrNull(cell, unit) })],
  [/memory.*used/, (cell, unit) => ({ memoryUsedBytes: bytesOrNull(cell, unit) })],
  [/memory.*free/, (cell, unit) => ({ extra: { memoryFreeBytes: bytesOrNull(cell, unit) } })],
  [/utilization\.(?!mem)/, (cell) => ({ utilizationRatio: ratioOf(numberOrNull(cell)) })],
  [/temperature\.(?!mem)/, (cell) => ({ temperatureCelsius: numberOrNull(cell) })],
  [/power.*(?:draw|usage|cur)/, (cell) => ({ powerWatts: numberOrNull(cell) })],
  [/power.*(?:max|limit|cap)/, (cell) => ({ extra: { powerLimitWatts: numberOrNull(cell) } })],
  [/uncorrect/, (cell) => ({ eccErrorsUncorrected: countOrNull(cell) })],
]

/** Words that only an answer to a query has in its first line. */
const HEADER = /(?:^|,\s*)(?:index|uuid|name|memory\.|utilization\.|temperature\.|power\.|\w+_(?:bus_id|serial|name))/i

/** The names asked for in `--query-gpu=index,name` or `-Q index,name`, as far as the command is known. */
function askedFor(command: string | undefined): readonly string[] | null {
  const list = /(?:--query-\w+[= ]|-Q\s+)([\w.,]+)/.exec(command ?? '')?.[1]
  return list === undefined ? null : list.split(',')
}

/** Whether any line is an answer to a query: a heading of field names, or cells that have the units of such. */
export function looksLikeQuery(text: string): boolean {
  const lines = linesOf(text).filter((line) => line.trim() !== '')
  if (lines.some((line) => /[|{}<>]/.test(line))) return false
  return lines.some(
    (line) =>
      line.includes(',') &&
      (HEADER.test(line) || (line.match(/(?:^|,)\s*\d+(?:\.\d+)? ?(?:MiB|W|C|%)(?=,|$)/g)?.length ?? 0) > 0),
  )
}

/**
 * Reads the CSV of a query. Columns are known by the heading, without one by the fields that `command` asks for,
 * and without that by the shape of the cells (`noheader` answers saved by an operator).
 */
export function parseQueryCsv(text: string, product: RegExp, command?: string): Reading[] {
  let names = askedFor(command)
  let named = names !== null
  const found: Reading[] = []
  for (const line of linesOf(text)) {
    const cells = line.split(',').map((cell) => cell.trim())
    if (cells.length < 2 && names?.length !== 1) continue
    if (HEADER.test(line) && !/MiB(?!\])| W,| C,|\bGPU-/.test(line)) {
      names = cells
      named = true
    } else if (names !== null && named && cells.length === names.length) found.push(readNamed(names, cells))
    else if (!named) {
      const reading = readShapes(cells, product)
      if (reading !== null) found.push(reading)
    }
  }
  // A line without any name of its own is a message, not a chip.
  return found.filter((reading) => reading.index !== null || reading.uuid !== null || reading.pciAddress !== null)
}

function readNamed(names: readonly string[], cells: readonly string[]): Reading {
  let reading = readingOf({})
  for (const [column, cell] of cells.entries()) {
    const [, bare = '', unit = ''] = /^(.*?)\s*(?:\[(.*)\])?$/.exec(names[column]?.trim().toLowerCase() ?? '') ?? []
    const unitBytes = bytesOrNull(`1 ${unit}`) ?? MEBIBYTE
    const read = COLUMNS.find(([pattern]) => pattern.test(bare))?.[1]
    const field = read?.(cell, unit === '' ? MEBIBYTE : unitBytes) ?? {}
    reading = { ...reading, ...field, extra: { ...reading.extra, ...field.extra } }
    if (/\[(?:GPU is lost|unknown error)\]|ERR!/i.test(cell)) {
      reading = {
        ...reading,
        health: 'lost',
        reasons: [{ code: 'health-reported', params: { tool: 'the query', value: cell } }],
      }
    }
  }
  return reading
}

function readShapes(cells: readonly string[], product: RegExp): Reading | null {
  const withUnit = (unit: string) => cells.filter((cell) => new RegExp(`^\\d+(?:\\.\\d+)? ?${unit}$`).test(cell))
  const memory = withUnit('MiB').map((cell) => bytesOrNull(cell) ?? 0)
  const power = withUnit('W').map((cell) => numberOrNull(cell))
  const [heat] = withUnit('C')
  const [busy] = withUnit('%')
  const address = cells.map(findBdf).find((bdf) => bdf !== null)
  const uuid = cells.find((cell) => UUID.test(cell))
  const isNamed = address !== undefined || uuid !== undefined || /^\d+$/.test(cells[0] ?? '')
  if (memory.length + power.length === 0 || !isNamed) return null
  return readingOf({
    index: /^\d{1,4}$/.test(cells[0] ?? '') ? countOrNull(cells[0]) : null,
    uuid: uuid ?? null,
    serial: cells.find((cell) => cell !== uuid && /^(?=.*\d)[0-9A-Z]{10,24}$/.test(cell)) ?? null,
    pciAddress: normalizePciAddress(address),
    product: cells.find((cell) => cell !== uuid && product.test(cell)) ?? null,
    driverVersion: cells.find((cell) => /^\d+\.\d+(?:\.\d+)*(?:-[0-9a-z]+)?$/.test(cell)) ?? null,
    utilizationRatio: ratioOf(numberOrNull(busy)),
    temperatureCelsius: numberOrNull(heat),
    ...memoryOf(memory),
    ...powerOf(power, heat !== undefined || busy !== undefined),
  })
}

/** With a prefix, or in four to eight further groups. */
const UUID = /^(?:GPU-|PPU-[0-9a-f]{8}-)|^[0-9A-Za-z]{2,10}(?:-[0-9A-Za-z]{2,12}){4,8}$/

/** Tools are asked for the total first; of two figures the total is the larger one in any order. */
function memoryOf(figures: readonly number[]): Partial<Reading> {
  const [first, second, third] = figures
  if (first === undefined) return {}
  if (second === undefined) return { memoryTotalBytes: first }
  const memoryUsedBytes = third === undefined ? Math.min(first, second) : second
  return { memoryTotalBytes: Math.max(...figures), memoryUsedBytes }
}

/** One figure beside readings is what the chip draws; beside fixed facts it is the cap. */
function powerOf(figures: readonly (number | null)[], live: boolean): Partial<Reading> {
  const [first = null, second = null] = figures
  if (figures.length > 1) return { powerWatts: first, extra: { powerLimitWatts: second } }
  return live ? { powerWatts: first } : { extra: { powerLimitWatts: first } }
}
