import { type Clock, type IdFactory, systemScope } from '@medley/kernel'
import { appendEvent, type ScopedDatabase, type Transaction } from '@medley/store'
import { sortRecord, toRow } from './adapters/rows.ts'
import type { SupplyTables } from './adapters/tables.ts'
import type { UsageRecord } from './protocol.ts'

export interface IngestOutcome {
  /** Records that are stored now and were not before. */
  readonly accepted: number
  /** Records whose request id had been stored earlier, or earlier in this batch. */
  readonly duplicate: number
  /** Records that cannot be stored as usage; they are kept in quarantine with the reason. */
  readonly rejected: number
}

/** Parameters of one statement are limited to 65,535. */
const ROWS_PER_STATEMENT = 500

const scope = systemScope('supply')

export async function ingest(
  database: ScopedDatabase<SupplyTables>,
  sources: { readonly ids: IdFactory; readonly clock: Clock },
  raws: readonly unknown[],
): Promise<IngestOutcome> {
  const now = new Date(sources.clock.now())
  const sorted = raws.map((raw) => sortRecord(raw, now))
  // In one order everywhere, or two workers handing in the same requests could wait for each other.
  const records = sorted.flatMap(({ record }) => record ?? []).sort(byRequestId)
  const rejects = sorted
    .flatMap(({ reject }) => reject ?? [])
    .sort((left, right) => (left.digest < right.digest ? -1 : 1))
  const rows = records.map((record) => toRow(record, sources.ids.next('usage'), now))

  const accepted = await database.run(scope, async (tx) => {
    for (const chunk of chunks(rejects)) {
      const quarantine = tx.insertInto('usage_rejects').values(chunk)
      await quarantine.onConflict((conflict) => conflict.column('digest').doNothing()).execute()
    }
    const stored = await insertOnce(tx, rows)
    if (stored.length > 0) await tell(tx, sources, stored, now)
    return stored.length
  })
  return { accepted, duplicate: records.length - accepted, rejected: rejects.length }
}

async function insertOnce(tx: Transaction<SupplyTables>, rows: readonly ReturnType<typeof toRow>[]): Promise<string[]> {
  const stored: string[] = []
  for (const chunk of chunks(rows)) {
    const inserted = await tx
      .insertInto('usage_events')
      .values(chunk)
      .onConflict((conflict) => conflict.column('request_id').where('correction_of', 'is', null).doNothing())
      .returning('id')
      .execute()
    stored.push(...inserted.map(({ id }) => id))
  }
  return stored
}

async function tell(
  tx: Transaction<SupplyTables>,
  sources: { readonly ids: IdFactory; readonly clock: Clock },
  usageIds: readonly string[],
  occurredAt: Date,
): Promise<void> {
  await appendEvent(tx, sources, {
    type: 'supply.usage.recorded',
    version: 1,
    tenantId: null,
    actor: scope.actor,
    subject: usageIds[0] ?? '',
    causationId: null,
    correlationId: null,
    occurredAt,
    payload: { usageIds },
  })
}

function byRequestId(left: UsageRecord, right: UsageRecord): number {
  if (left.requestId === right.requestId) return 0
  return left.requestId < right.requestId ? -1 : 1
}

function* chunks<Row>(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
    yield rows.slice(start, start + ROWS_PER_STATEMENT)
  }
}
