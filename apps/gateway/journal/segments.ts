import { readdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { journalLines, parseEntry, type RequestStart } from './entry.ts'

const NAME = /^segment-(\d{12})\.log$/

export function segmentPath(directory: string, number: number): string {
  return join(directory, `segment-${String(number).padStart(12, '0')}.log`)
}

/** Numbers of the segments there are, oldest first. */
export function listSegments(directory: string): number[] {
  return readdirSync(directory)
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((left, right) => left - right)
}

export interface Replay {
  /** Requests that were forwarded and never ended, oldest first. */
  readonly open: readonly RequestStart[]
  /** Lines that are no entry: a torn tail, or damage by the disk. */
  readonly damagedLines: number
}

/**
 * Reads every segment, one at a time, and cuts the torn tail of the last. A damaged line costs only itself: the
 * lines after it are whole entries of other requests.
 */
export function replay(directory: string): Replay {
  const open = new Map<string, RequestStart>()
  const segments = listSegments(directory)
  let damagedLines = 0
  for (const number of segments) {
    const path = segmentPath(directory, number)
    const bytes = readFileSync(path)
    let end = 0
    for (const line of journalLines(bytes)) {
      end = line.end
      const entry = line.json === null ? null : parseEntry(line.json)
      if (entry === null) damagedLines += 1
      else if ('begin' in entry) open.set(entry.begin.requestId, entry.begin)
      else open.delete(entry.end.requestId)
    }
    if (end === bytes.length) continue
    damagedLines += 1
    if (number === segments.at(-1)) truncateSync(path, end)
  }
  return { open: [...open.values()], damagedLines }
}
