import type { Json } from '@medley/kernel'
import type { Transaction } from '@medley/store'
import { type Selectable, sql } from 'kysely'
import type { PeakName, Peaks } from '../domain/roofline.ts'
import type { BestRates, EventName, EventScore } from '../domain/score.ts'
import { mean } from '../domain/statistics.ts'
import type { AxisScore, ProvingRecord } from '../ports.ts'
import type { ProvingTables } from './tables.ts'

type Tx = Transaction<ProvingTables>
type RecordRow = Selectable<ProvingTables['proving_records']>
type ScoreRow = Selectable<ProvingTables['proving_scores']>

interface Origin {
  readonly recordId: string
  readonly chipUuid: string
  readonly createdAt: Date
}

export async function findRecord(tx: Tx, column: 'id' | 'run_id', value: string): Promise<ProvingRecord | undefined> {
  const row = await tx.selectFrom('proving_records').selectAll().where(column, '=', value).executeTakeFirst()
  return row === undefined ? undefined : (await recordsOf(tx, [row]))[0]
}

export async function recordsOf(tx: Tx, rows: readonly RecordRow[]): Promise<readonly ProvingRecord[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id)
  const scores = await tx.selectFrom('proving_scores').selectAll().where('record_id', 'in', ids).execute()
  return rows.map((row) => ({
    id: row.id,
    runId: row.run_id,
    suite: row.suite,
    chipUuid: row.chip_uuid,
    digest: row.digest,
    signature: { keyId: row.signature_key_id, algorithm: row.signature_algorithm, value: row.signature },
    scores: scores.filter((score) => score.record_id === row.id).map(toScore),
    evidence: JSON.parse(row.evidence) as Json,
    createdAt: row.created_at,
  }))
}

/** The newest score of each event: also when it is `noisy`, as an older number would hide that. */
export async function latestScores(tx: Tx, chipUuids: readonly string[]): Promise<readonly AxisScore[]> {
  const rows = await tx
    .selectFrom('proving_scores')
    .selectAll()
    .distinctOn(['chip_uuid', 'event'])
    .where('chip_uuid', 'in', [...chipUuids])
    .orderBy('chip_uuid')
    .orderBy('event')
    // Ids sort by time.
    .orderBy('record_id', 'desc')
    .execute()
  return rows.map(toScore)
}

export async function insertScores(tx: Tx, origin: Origin, events: readonly EventScore[]): Promise<void> {
  if (events.length === 0) return
  const rows = events.map((item) => ({
    record_id: origin.recordId,
    chip_uuid: origin.chipUuid,
    event: item.event,
    state: item.state,
    score: item.score,
    low: item.low,
    high: item.high,
    efficiency: meanOfKnown(item.cases.map(({ eta }) => eta)),
    tokens_per_second: meanOfKnown(item.cases.map(({ meanTokensPerSecond }) => meanTokensPerSecond)),
    reasons: JSON.stringify(item.reasons),
    created_at: origin.createdAt,
  }))
  await tx.insertInto('proving_scores').values(rows).execute()
}

/** Best rates on record of this chip with this many threads. */
export async function bestRates(tx: Tx, chipUuid: string, threads: number): Promise<BestRates> {
  const rows = await tx
    .selectFrom('proving_chip_rates')
    .select(['kind', 'rate'])
    .where('chip_uuid', '=', chipUuid)
    .where('threads', '=', threads)
    .execute()
  const rate = (kind: PeakName): number | null => rows.find((row) => row.kind === kind)?.rate ?? null
  return { gemmFp32: rate('gemmFp32'), gemmInt8: rate('gemmInt8'), bandwidth: rate('bandwidth') }
}

/**
 * Only the probe's own rates enter: a rate that a case implies would make the probe's shortcoming vanish from the
 * next record instead of voiding it.
 */
export async function raiseRates(tx: Tx, origin: Origin, threads: number, peaks: Peaks): Promise<void> {
  const rows = Object.entries(peaks).map(([kind, rate]) => ({
    chip_uuid: origin.chipUuid,
    threads,
    kind,
    rate,
    record_id: origin.recordId,
    updated_at: origin.createdAt,
  }))
  await tx
    .insertInto('proving_chip_rates')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['chip_uuid', 'threads', 'kind'])
        .doUpdateSet((excluded) => ({
          rate: excluded.ref('excluded.rate'),
          record_id: excluded.ref('excluded.record_id'),
          updated_at: excluded.ref('excluded.updated_at'),
        }))
        .where(sql<boolean>`excluded.rate > proving_chip_rates.rate`),
    )
    .execute()
}

function toScore(row: ScoreRow): AxisScore {
  return {
    chipUuid: row.chip_uuid,
    event: row.event as EventName,
    state: row.state as EventScore['state'],
    score: row.score,
    low: row.low,
    high: row.high,
    efficiency: row.efficiency,
    tokensPerSecond: row.tokens_per_second,
    reasons: row.reasons,
    recordId: row.record_id,
    measuredAt: row.created_at,
  }
}

function meanOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : mean(known)
}
