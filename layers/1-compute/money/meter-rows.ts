import type { Id } from '@medley/kernel'
import type { MeterKind, ScoreClass } from './domain/terms.ts'
import type { MeterEvent } from './ports.ts'

/** As the driver reads it: whole numbers of 64 bits as text, to stay exact. */
export interface MeterEventRow {
  id: string
  tenant_id: string
  source_key: string
  project_id: string
  key_id: string | null
  kind: MeterKind
  quantity: string
  model: string | null
  product: string | null
  score_class: ScoreClass | null
  chip_uuid: string | null
  slice: string | null
  event: string | null
  cu_micro: string | null
  rate_version: string | null
  evidence_id: string | null
  correction_of: string | null
  started_at: Date
  ended_at: Date
  counted_at: Date
  recorded_at: Date
}

export function toMeterEvent(row: MeterEventRow): MeterEvent {
  return {
    id: row.id as Id<'usage'>,
    sourceKey: row.source_key,
    tenantId: row.tenant_id,
    projectId: row.project_id,
    keyId: row.key_id,
    kind: row.kind,
    quantity: BigInt(row.quantity),
    model: row.model,
    product: row.product,
    scoreClass: row.score_class,
    chipUuid: row.chip_uuid,
    slice: row.slice,
    event: row.event,
    cuMicro: row.cu_micro === null ? null : BigInt(row.cu_micro),
    rateVersion: row.rate_version,
    evidenceId: row.evidence_id,
    correctionOf: row.correction_of,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    recordedAt: row.recorded_at,
  }
}
