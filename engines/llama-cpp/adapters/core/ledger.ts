import type { RequestRecord } from '../../protocol.ts'

/** A record while its request runs; the runner counts directly into it. */
export type OpenRecord = { -readonly [K in keyof RequestRecord]: RequestRecord[K] }

export interface Ledger {
  open(id: string, promptTokens: number): OpenRecord
  find(id: string): RequestRecord | null
}

/** What recent requests cost, so that a gateway whose client went away can still settle the request. */
export function createLedger(capacity = 1024): Ledger {
  const records = new Map<string, OpenRecord>()
  return {
    open(id, promptTokens) {
      const record: OpenRecord = { id, promptTokens, cachedTokens: 0, completionTokens: 0, state: 'queued' }
      records.delete(id)
      records.set(id, record)
      for (const oldest of records.keys()) {
        if (records.size <= capacity) break
        records.delete(oldest)
      }
      return record
    },
    find: (id) => records.get(id) ?? null,
  }
}
