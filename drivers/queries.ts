import { normalizePciAddress, textOrNull } from './parsing.ts'

export type Row = ReadonlyMap<string, string>

/** A column's name as in the header (`memory.total [MiB]`): lower case, the unit dropped. */
const fieldName = (cell: string): string =>
  cell
    .trim()
    .replace(/\s*\[[^\]]*\]$/, '')
    .toLowerCase()

const NAME = /^[a-z][a-z0-9_.-]*(?:\s*\[[^\]]*\])?$/i

/**
 * Rows of a `--query-...=FIELDS --format=csv[,noheader][,nounits]` answer, by field name. The names come from the
 * header, else from the fields in the command, else (a saved file of which nobody knows the command) from the
 * shapes of the cells. A header's unit is added to bare numbers (`nounits`).
 */
export function readQuery(text: string, command: string): readonly Row[] {
  const lines = text.split('\n').map((line) => line.split(',').map((cell) => cell.trim()))
  const header = lines.findIndex(
    (cells) => cells.length > 1 && cells.every((cell) => NAME.test(cell)) && looksNamed(cells),
  )
  const asked =
    /--query-\w+[= ]([\w.,-]+)/.exec(command)?.[1]?.split(',') ?? /\s-Q\s+([\w.,-]+)/.exec(command)?.[1]?.split(',')
  const rows = (header < 0 ? lines : lines.slice(header + 1)).filter((cells) => cells.length > 1)
  const names = header < 0 ? null : (lines[header] ?? [])
  return rows.flatMap((cells) => {
    const fields = names?.map(fieldName) ?? (asked?.length === cells.length ? asked.map(fieldName) : guessFields(cells))
    if (fields === null || fields.length !== cells.length) return []
    const units = names?.map((name) => /\[([^\]]*)\]$/.exec(name.trim())?.[1] ?? '') ?? []
    const valued = cells.map((cell, at) => (/^\d+(?:\.\d+)?$/.test(cell) && units[at] ? `${cell} ${units[at]}` : cell))
    return [new Map(fields.map((field, at) => [field, valued[at] ?? '']))]
  })
}

/** A header has at least one name with a dot or one of the plain ones, or else it is a row of words. */
function looksNamed(cells: readonly string[]): boolean {
  const plain = new Set(['index', 'uuid', 'name', 'serial', 'gpu_bus_id', 'gpu_serial', 'temperature', 'bus_id'])
  return (
    cells.filter((cell) => /[a-z]\.[a-z]/i.test(cell) || plain.has(fieldName(cell))).length >= 2 ||
    cells.every((cell) => plain.has(fieldName(cell)))
  )
}

/** Names by shape; two amounts of memory are total and used (whichever is larger), one alone is the total. */
export function guessFields(cells: readonly string[]): readonly string[] | null {
  const fields = cells.map((cell, at) => guessField(cell, at, cells))
  const amounts = fields.flatMap((field, at) => (field === 'memory' ? [at] : []))
  amounts.forEach((at, order) => {
    fields[at] = order === 0 ? 'memory.total' : order === 1 ? 'memory.used' : `memory.other${order}`
  })
  const [first, second] = amounts
  if (first !== undefined && second !== undefined && amountOf(cells[first]) < amountOf(cells[second])) {
    fields[first] = 'memory.used'
    fields[second] = 'memory.total'
  }
  numbered(fields, 'power', ['power.draw', 'power.limit'])
  numbered(fields, 'utilization', ['utilization.gpu', 'utilization.memory'])
  numbered(fields, 'temperature', ['temperature.gpu', 'temperature.memory'])
  return fields.some((field) => !field.startsWith('?')) ? fields : null
}

const amountOf = (cell: string | undefined): number => Number.parseFloat(cell ?? '0')

function numbered(fields: string[], kind: string, names: readonly string[]): void {
  let seen = 0
  fields.forEach((field, at) => {
    if (field === kind) fields[at] = names[seen++] ?? `${kind}.${seen}`
  })
}

function guessField(cell: string, at: number, cells: readonly string[]): string {
  if (normalizePciAddress(cell) !== null) return 'pci.bus_id'
  if (/^(?:GPU-|[A-Z]{2,4}-)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-/i.test(cell)) return 'uuid'
  if (/^[\d.]+\s*[kmg]i?b$/i.test(cell)) return 'memory'
  if (/^[\d.]+\s*%$/.test(cell)) return 'utilization'
  if (/^[\d.]+\s*°?[c℃]$/i.test(cell)) return 'temperature'
  if (/^[\d.]+\s*w$/i.test(cell)) return 'power'
  if (at === 0 && /^\d{1,4}$/.test(cell) && cells.length > 2) return 'index'
  if (/^\d+\.\d+\.\d+/.test(cell)) return 'driver_version'
  if (/^[A-Z0-9]{10,24}$/.test(cell) && /\d/.test(cell)) return 'serial'
  if (textOrNull(cell) !== null && /[a-z]/i.test(cell)) return cells.slice(0, at).some(isName) ? `?${at}` : 'name'
  return `?${at}`
}

function isName(cell: string): boolean {
  return /[a-z]{2}/i.test(cell) && !/^[\d.]+\s*\w{1,3}$/.test(cell) && !/^[0-9a-f:.-]{8,}$/i.test(cell)
}
