export type CsvCell = string | number | boolean | null

/** Name of a column, as the API writes it, and how its value is read from a row. */
export type CsvColumn<Row> = readonly [name: string, read: (row: Row) => CsvCell]

/** Unknown stays an empty cell, never 0. Text that a spreadsheet would run as a formula is disarmed. */
function cell(value: CsvCell): string {
  if (value === null) return ''
  if (typeof value !== 'string') return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** RFC 4180, with a byte order mark so that spreadsheets read it as UTF-8. */
export function csvOf<Row>(columns: readonly CsvColumn<Row>[], rows: readonly Row[]): string {
  const head = columns.map(([name]) => name).join(',')
  const lines = rows.map((row) => columns.map(([, read]) => cell(read(row))).join(','))
  return `\ufeff${[head, ...lines].join('\r\n')}\r\n`
}
