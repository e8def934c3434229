import { type Clock, type IdFactory, systemScope } from '@medley/kernel'
import { appendEvent, type ScopedDatabase, type Transaction } from '@medley/store'
import { rejectRow, sortRecord, toRow } from './adapters/rows.ts'
import type { SupplyTables } from './adapters/tables.ts'
import { errors } from './errors.ts'
import type { UsageRecord } from './protocol.ts'

export interface IngestOutcome {
  /** Records that are stored now and were not before. */
  readonly accepted: number
  /** Records whose request id had been stored earlier, or earlier in this batch. */
  readonly duplicate: number
  /** Records that cannot be stored as usage; they are kept in quarantine with the reason. */
  readonly rejected: number
  /** Those of the rejected that name a chip without hardware, and were not handed in before. */
  readonly simulated: readonly SimulatedUse[]
}

/** Usage that cannot have happened: it is in no sum and on no bill. */
export interface SimulatedUse {
  readonly code: string
  readonly requestId: string
  readonly tenantId: string
  readonly keyId: string
  readonly chipUuid: string
}

/** Which of these chips have no hardware. */
export type SimulatedChips = (chipUuids: readonly string[]) => Promise<ReadonlySet<string>>

/** Parameters of one statement are limited to 65,535. */
const ROWS_PER_STATEMENT = 500

const scope = systemScope('supply')

export async function ingest(
  database: ScopedDatabase<SupplyTables>,
  sources: { readonly ids: IdFactory; readonly clock: Clock; readonly simulatedChips: SimulatedChips },
  raws: readonly unknown[],
): Promise<IngestOutcome> {
  const now = new Date(sources.clock.now())
  const sorted = raws.map((raw) => sortRecord(raw, now))
  const formed = sorted.flatMap(({ record }) => record ?? [])
  const simulated = await sources.simulatedChips([...new Set(formed.flatMap(({ chipUuids }) => chipUuids))])
  const refused = formed.flatMap((record) => refusalOf(record, simulated, now) ?? [])
  // In one order everywhere, or two workers handing in the same requests could wait for each other.
  const records = formed.filter(({ chipUuids }) => !chipUuids.some((uuid) => simulated.has(uuid))).sort(byRequestId)
  const rejects = [...sorted.flatMap(({ reject }) => reject ?? []), ...refused.map(({ reject }) => reject)].sort(
    (left, right) => (left.digest < right.digest ? -1 : 1),
  )
  const rows = records.map((record) => toRow(record, sources.ids.next('usage'), now))

  const { accepted, quarantined } = await database.run(scope, async (tx) => {
    const digests = new Set<string>()
    for (const chunk of chunks(rejects)) {
      const quarantine = tx.insertInto('usage_rejects').values(chunk)
      const fresh = await quarantine.onConflict((conflict) => conflict.column('digest').doNothing()).returning('digest')
      for (const { digest } of await fresh.execute()) digests.add(digest)
    }
    const stored = await insertOnce(tx, rows)
    if (stored.length > 0) await tell(tx, sources, stored, now)
    return { accepted: stored.length, quarantined: digests }
  })
  return {
    accepted,
    duplicate: records.length - accepted,
    rejected: rejects.length,
    simulated: refused.flatMap(({ use, reject }) => (quarantined.has(reject.digest) ? use : [])),
  }
}

/** Null: every chip of the record is a real one. */
function refusalOf(record: UsageRecord, simulated: ReadonlySet<string>, now: Date) {
  const chipUuid = record.chipUuids.find((uuid) => simulated.has(uuid))
  if (chipUuid === undefined) return null
  const { code } = errors['record.simulated']({ chip: chipUuid })
  const { requestId, tenantId, keyId } = record
  return {
    reject: rejectRow(record, `${code}: ${chipUuid}`, now),
    use: { code, requestId, tenantId, keyId, chipUuid } satisfies SimulatedUse,
  }
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
