import { linesOf } from './lines.ts'
import { ratioOf } from './outputs.ts'
import { countOrNull, numberOrNull } from './parsing.ts'
import { type Reading, readingOf } from './reading.ts'

type Row = ReadonlyMap<string, string>

/** Rows of a `dmon` table: a line of names and one of units, both marked, then one line of numbers a device. */
export function dmonRows(text: string): readonly Row[] {
  let names: readonly string[] = []
  const rows: Row[] = []
  for (const line of linesOf(text)) {
    const cells = line.trim().split(/\s+/)
    if (/^[#*]/.test(line.trim())) {
      // `# ppu pwr` or `*Dev Pwr`; the second marked line has the units and keeps the names before it.
      const marked = line.trim().slice(1).trim().toLowerCase().split(/\s+/)
      if (!/^idx$/.test(marked[0] ?? '')) names = marked
    } else if (names.length > 1 && cells.length === names.length && /^\d{1,4}$/.test(cells[0] ?? '')) {
      rows.push(new Map(names.map((name, column) => [name, cells[column] ?? ''])))
    }
  }
  return rows
}

/** What the columns of the vendor are called. */
export interface DmonColumns {
  readonly power: string
  readonly temperature: string
  readonly utilization: string
  /** Share of the memory in use, in percent. */
  readonly memoryShare: string
  /** Total memory in MiB, where the table has it. */
  readonly memoryTotal?: string
}

export function dmonReadings(text: string, columns: DmonColumns): Reading[] {
  return dmonRows(text).map((row) => {
    const total = columns.memoryTotal === undefined ? null : numberOrNull(row.get(columns.memoryTotal))
    const share = ratioOf(numberOrNull(row.get(columns.memoryShare)))
    const totalBytes = total === null ? null : Math.round(total * 2 ** 20)
    return readingOf({
      index: countOrNull([...row.values()][0]),
      powerWatts: numberOrNull(row.get(columns.power)),
      temperatureCelsius: numberOrNull(row.get(columns.temperature)),
      utilizationRatio: ratioOf(numberOrNull(row.get(columns.utilization))),
      memoryTotalBytes: totalBytes,
      memoryUsedBytes: totalBytes === null || share === null ? null : Math.round(totalBytes * share),
      extra: { memoryUsedRatio: share },
    })
  })
}
