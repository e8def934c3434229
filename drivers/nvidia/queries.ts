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
 * header, else from the fields in the command; without either there are no rows. A header's unit is added to bare
 * numbers (`nounits`).
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
    const fields = names?.map(fieldName) ?? asked?.map(fieldName)
    if (fields === undefined || fields.length !== cells.length) return []
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
