import { digestOf, type Json } from '@medley/kernel'
import { sql } from 'kysely'
import { METER_KINDS, SCORE_CLASSES } from './domain/terms.ts'
import { countedAt } from './domain/zone.ts'
import { errors } from './errors.ts'
import { type MeterEventRow, toMeterEvent } from './meter-rows.ts'
import { now, type Parts, type Tx } from './parts.ts'
import type { Correction, NewMeterEvent } from './ports.ts'

const MOST = 10n ** 18n

type Draft = NewMeterEvent & { readonly correctionOf: string | null }

function isFit(event: NewMeterEvent): boolean {
  const named = [event.sourceKey, event.tenantId, event.projectId].every((name) => name !== '')
  const counted = [event.quantity, event.cuMicro ?? 0n].every((amount) => amount >= 0n && amount <= MOST)
  // An invalid date is neither earlier nor later.
  const timed = event.endedAt.getTime() >= event.startedAt.getTime()
  const classed = event.scoreClass === null || SCORE_CLASSES.includes(event.scoreClass)
  return named && counted && timed && classed && METER_KINDS.includes(event.kind)
}

function contentOf({ startedAt, endedAt, ...event }: Draft): { [key: string]: Json } {
  return {
    ...event,
    quantity: event.quantity.toString(),
    cuMicro: event.cuMicro?.toString() ?? null,
    startedAt: startedAt.toISOString(),
    endedAt: endedAt.toISOString(),
  }
}

/** What the same capture asked for again must be equal to. */
export function digestOfEvents(events: readonly NewMeterEvent[]): string {
  return digestOf(events.map((event) => contentOf({ ...event, correctionOf: null })))
}

/** @returns how many were new @throws AppError `money.event.invalid`, `money.repeat.differs` */
export async function recordEvents(tx: Tx, parts: Parts, events: readonly NewMeterEvent[]): Promise<number> {
  const unfit = events.find((event) => !isFit(event))
  if (unfit !== undefined) throw errors['event.invalid']({}, { detail: unfit.sourceKey })
  return await insertEvents(
    tx,
    parts,
    events.map((event) => ({ ...event, correctionOf: null })),
  )
}

async function insertEvents(tx: Tx, parts: Parts, events: readonly Draft[]): Promise<number> {
  // In one order, so that two who record the same do not wait for each other in a circle.
  const drafts = [...events].sort((left, right) => (left.sourceKey < right.sourceKey ? -1 : 1))
  const rows = drafts.map((draft) => ({
    id: parts.ids.next('usage'),
    tenant_id: draft.tenantId,
    source_key: draft.sourceKey,
    digest: digestOf(contentOf(draft)),
    project_id: draft.projectId,
    key_id: draft.keyId,
    kind: draft.kind,
    quantity: draft.quantity.toString(),
    model: draft.model,
    product: draft.product,
    score_class: draft.scoreClass,
    chip_uuid: draft.chipUuid,
    slice: draft.slice,
    event: draft.event,
    cu_micro: draft.cuMicro?.toString() ?? null,
    rate_version: draft.rateVersion,
    evidence_id: draft.evidenceId,
    correction_of: draft.correctionOf,
    started_at: draft.startedAt.toISOString(),
    ended_at: draft.endedAt.toISOString(),
    counted_at: countedAt(draft.startedAt, draft.endedAt).toISOString(),
    recorded_at: now(parts).toISOString(),
  }))
  const json = JSON.stringify(rows)
  const { rows: inserted } = await sql<{ id: string }>`
    with events as (
      insert into meter_events select * from jsonb_populate_recordset(null::meter_events, ${json}::jsonb)
      on conflict (tenant_id, source_key) do nothing
      returning id, tenant_id
    ), due as (insert into meter_due (event_id, tenant_id) select id, tenant_id from events)
    select id from events`.execute(tx)
  if (inserted.length === rows.length) return inserted.length
  const { rows: differing } = await sql<{ source_key: string }>`
    select e.source_key from jsonb_to_recordset(${json}::jsonb) as r(tenant_id text, source_key text, digest text)
    join meter_events e on e.tenant_id = r.tenant_id and e.source_key = r.source_key
    where e.digest <> r.digest limit 1`.execute(tx)
  if (differing[0] !== undefined) throw errors['repeat.differs']({ key: differing[0].source_key })
  return inserted.length
}

/** A further event with the same marks and time, so that it is priced and counted as the first was. */
export async function recordCorrection(tx: Tx, parts: Parts, correction: Correction): Promise<number> {
  const { rows } = await sql<MeterEventRow>`
    select * from meter_events where id = ${correction.correctionOf} and correction_of is null for update`.execute(tx)
  if (rows[0] === undefined) throw errors['event.unknown']()
  const { id, recordedAt: _recordedAt, ...first } = toMeterEvent(rows[0])
  const sizes = [correction.quantity, correction.cuMicro ?? 0n]
  const fits = sizes.every((size) => size >= -MOST && size <= MOST) && correction.sourceKey !== ''
  if (!fits || (correction.cuMicro === null) !== (first.cuMicro === null)) throw errors['event.invalid']()
  const { rows: others } = await sql<{ quantity: string; cu_micro: string | null }>`
    select quantity, cu_micro from meter_events
    where correction_of = ${id} and source_key <> ${correction.sourceKey}`.execute(tx)
  const left = others.reduce((total, other) => total + BigInt(other.quantity), first.quantity)
  const cuLeft = others.reduce((total, other) => total + BigInt(other.cu_micro ?? 0), first.cuMicro ?? 0n)
  if (left + correction.quantity < 0n || cuLeft + (correction.cuMicro ?? 0n) < 0n) {
    throw errors['correction.exceeds']({ left: left.toString() })
  }
  return await insertEvents(tx, parts, [{ ...first, ...correction }])
}
