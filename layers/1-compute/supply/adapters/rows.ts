import { createHash } from 'node:crypto'
import type { Id } from '@medley/kernel'
import type { Insertable, Selectable } from 'kysely'
import { z } from 'zod'
import { durationMs, exactNumber, whyUnstorable } from '../domain/admit.ts'
import { type UsageRecord, usageRecord } from '../protocol.ts'
import type { UsageEventsTable, UsageRejectsTable } from './tables.ts'

/** One metered request, as stored. Token counts are null where they are not known. */
export interface UsageEvent extends Omit<UsageRecord, 'startedAt' | 'endedAt'> {
  readonly id: Id<'usage'>
  readonly kind: 'tokens'
  readonly startedAt: Date
  /** When the request ended. */
  readonly occurredAt: Date
  readonly recordedAt: Date
  readonly durationMs: number | null
  readonly rateVersion: string | null
  readonly evidenceId: string | null
  readonly correctionOf: string | null
}

export type Sorted =
  | { readonly record: UsageRecord; readonly reject: null }
  | { readonly record: null; readonly reject: Insertable<UsageRejectsTable> }

/** Parses one record of a batch; what cannot be stored becomes a row of the quarantine. */
export function sortRecord(raw: unknown, receivedAt: Date): Sorted {
  const parsed = usageRecord.safeParse(raw)
  const reason = parsed.success ? whyUnstorable(parsed.data) : z.prettifyError(parsed.error)
  if (parsed.success && reason === null) return { record: parsed.data, reject: null }
  return { record: null, reject: rejectRow(raw, reason ?? '', receivedAt) }
}

/** A row of the quarantine; the same record again is the same row. */
export function rejectRow(raw: unknown, reason: string, receivedAt: Date): Insertable<UsageRejectsTable> {
  const text = JSON.stringify(raw) ?? 'null'
  const digest = createHash('sha256').update(text).digest('hex')
  // A parser's message can quote the input, and with it characters that PostgreSQL cannot store.
  const storable = reason.replaceAll('\u0000', '\\u0000')
  return { digest, tenant_id: null, raw: text, reason: storable, received_at: receivedAt }
}

export function toRow(record: UsageRecord, id: Id<'usage'>, recordedAt: Date): Insertable<UsageEventsTable> {
  return {
    id,
    tenant_id: record.tenantId,
    project_id: record.projectId,
    request_id: record.requestId,
    kind: 'tokens',
    key_id: record.keyId,
    endpoint: record.endpoint,
    model: record.model,
    revision_id: record.revisionId,
    replica_id: record.replicaId,
    chip_uuids: record.chipUuids,
    outcome: record.outcome,
    http_status: record.httpStatus,
    error_code: record.errorCode,
    stream: record.stream,
    prompt_tokens: record.promptTokens,
    cached_tokens: record.cachedTokens,
    completion_tokens: record.completionTokens,
    rate_version: null,
    evidence_id: null,
    correction_of: null,
    started_at: new Date(record.startedAt),
    occurred_at: new Date(record.endedAt),
    recorded_at: recordedAt,
    duration_ms: durationMs(record),
    ttft_ms: record.timeToFirstTokenMs,
    app_version_id: record.appVersionId,
    dataset_version_id: record.datasetVersionId,
    contract_id: record.contractId,
  }
}

export function fromRow(row: Selectable<UsageEventsTable>): UsageEvent {
  return {
    id: row.id as Id<'usage'>,
    kind: row.kind,
    requestId: row.request_id,
    tenantId: row.tenant_id,
    projectId: row.project_id,
    keyId: row.key_id,
    endpoint: row.endpoint,
    model: row.model,
    revisionId: row.revision_id,
    replicaId: row.replica_id,
    chipUuids: row.chip_uuids,
    outcome: row.outcome,
    httpStatus: row.http_status,
    errorCode: row.error_code,
    stream: row.stream,
    promptTokens: numberOrNull(row.prompt_tokens),
    cachedTokens: numberOrNull(row.cached_tokens),
    completionTokens: numberOrNull(row.completion_tokens),
    timeToFirstTokenMs: row.ttft_ms,
    startedAt: row.started_at,
    occurredAt: row.occurred_at,
    recordedAt: row.recorded_at,
    durationMs: numberOrNull(row.duration_ms),
    rateVersion: row.rate_version,
    evidenceId: row.evidence_id,
    correctionOf: row.correction_of,
    appVersionId: row.app_version_id,
    datasetVersionId: row.dataset_version_id,
    contractId: row.contract_id,
  }
}

function numberOrNull(text: string | null): number | null {
  return text === null ? null : exactNumber(text)
}
