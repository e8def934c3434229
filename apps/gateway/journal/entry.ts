import { crc32 } from 'node:zlib'
import { type UsageRecord, usageRecord } from '@medley/supply/protocol'
import { z } from 'zod'

/** What is known of a request before it is forwarded. A later one of the same request replaces the earlier. */
export const requestStart = usageRecord.pick({
  requestId: true,
  tenantId: true,
  projectId: true,
  keyId: true,
  endpoint: true,
  model: true,
  revisionId: true,
  replicaId: true,
  chipUuids: true,
  stream: true,
  startedAt: true,
})
export type RequestStart = z.infer<typeof requestStart>

const journalEntry = z.union([z.object({ begin: requestStart }), z.object({ end: usageRecord })])
export type JournalEntry = z.infer<typeof journalEntry>

const NEWLINE = 0x0a
const HEAD_BYTES = 9
const END_PREFIX = '{"end":'

/** One line: CRC-32 of the JSON in eight hex digits, a blank, the JSON, a newline. JSON holds no raw newline. */
export function encodeEntry(entry: JournalEntry): string {
  const json = JSON.stringify(entry)
  return `${checksum(json)} ${json}\n`
}

export interface JournalLine {
  /** JSON of the entry; null for a line that is torn or damaged. */
  readonly json: string | null
  /** Offset behind the line's newline. */
  readonly end: number
}

/** The whole lines in `bytes`; what follows the last newline is left for the next read. */
export function* journalLines(bytes: Buffer): Generator<JournalLine> {
  let start = 0
  for (;;) {
    const newline = bytes.indexOf(NEWLINE, start)
    if (newline < 0) return
    yield { json: intactJson(bytes.subarray(start, newline)), end: newline + 1 }
    start = newline + 1
  }
}

export function parseEntry(json: string): JournalEntry | null {
  const parsed = journalEntry.safeParse(JSON.parse(json))
  return parsed.success ? parsed.data : null
}

/** The record's JSON inside an end entry, as it was written; null for other entries. */
export function recordJson(entryJson: string): string | null {
  return entryJson.startsWith(END_PREFIX) ? entryJson.slice(END_PREFIX.length, -1) : null
}

/** The record of a request whose worker died before it could write one. */
export function interruptedRecord(start: RequestStart, foundAt: number): UsageRecord {
  return {
    ...start,
    outcome: 'interrupted',
    httpStatus: 500,
    errorCode: 'worker_lost',
    promptTokens: null,
    cachedTokens: null,
    completionTokens: null,
    endedAt: Math.max(start.startedAt, foundAt),
    timeToFirstTokenMs: null,
    appVersionId: null,
    datasetVersionId: null,
    contractId: null,
  }
}

function intactJson(line: Buffer): string | null {
  if (line.length <= HEAD_BYTES) return null
  const json = line.toString('utf8', HEAD_BYTES)
  return line.toString('latin1', 0, HEAD_BYTES) === `${checksum(json)} ` ? json : null
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0')
}
