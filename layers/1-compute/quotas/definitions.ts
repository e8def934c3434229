import type { Id, Scope } from '@medley/kernel'
import { appendEvent, type Transaction } from '@medley/store'
import { type Selectable, sql } from 'kysely'
import type { QuotaTables } from './adapters/tables.ts'
import { faultsOf, warnAmount } from './domain/definition.ts'
import { errors } from './errors.ts'
import type { Quota, QuotaFilter, QuotaUse } from './ports.ts'
import type { Parts } from './reserving.ts'

export async function setQuota(parts: Parts, scope: Scope, quota: Omit<Quota, 'id'>): Promise<Quota> {
  const isOwn = scope.kind === 'system' || scope.tenantId === quota.tenantId
  const faults = [...faultsOf(quota), ...(isOwn ? [] : [{ path: 'tenantId', message: 'your own' }])]
  if (faults.length > 0) throw errors['quota.invalid']({}, { errors: faults })
  const terms = {
    time_zone: quota.timeZone,
    max_amount: quota.limit.toString(),
    warn_ratio: quota.warnRatio,
    warn_amount: warnAmount(quota.limit, quota.warnRatio).toString(),
    removed_at: null,
  }
  return await parts.database.run(scope, async (tx) => {
    const row = await tx
      .insertInto('quotas')
      .values({
        id: parts.ids.next('quota'),
        tenant_id: quota.tenantId,
        level: quota.level,
        subject_id: quota.subjectId,
        resource: quota.resource,
        kind: quota.kind,
        period: quota.window,
        mode: quota.mode,
        ...terms,
      })
      .onConflict((conflict) =>
        conflict.columns(['tenant_id', 'level', 'subject_id', 'resource', 'kind', 'period', 'mode']).doUpdateSet(terms),
      )
      .returningAll()
      .executeTakeFirstOrThrow()
    const set = toQuota(row)
    await tellChange(tx, parts, scope, set, 'quotas.quota.set')
    return set
  })
}

export async function removeQuota(parts: Parts, scope: Scope, quotaId: string): Promise<void> {
  await parts.database.run(scope, async (tx) => {
    const row = await tx
      .updateTable('quotas')
      .set({ removed_at: new Date(parts.clock.now()) })
      .where('id', '=', quotaId)
      .where('removed_at', 'is', null)
      .returningAll()
      .executeTakeFirst()
    if (row === undefined) throw errors['quota.unknown']()
    await tellChange(tx, parts, scope, toQuota(row), 'quotas.quota.removed')
  })
}

export async function listQuotas(parts: Parts, scope: Scope, filter: QuotaFilter): Promise<readonly QuotaUse[]> {
  const tenantId = scope.kind === 'tenant' ? scope.tenantId : filter.tenantId
  const projectId = scope.kind === 'tenant' ? scope.projectId : null
  return await parts.database.run(scope, async (tx) => {
    let query = tx.selectFrom('quotas').selectAll().where('removed_at', 'is', null)
    if (tenantId !== undefined) query = query.where('tenant_id', '=', tenantId)
    if (filter.tenantId !== undefined) query = query.where('tenant_id', '=', filter.tenantId)
    if (filter.level !== undefined) query = query.where('level', '=', filter.level)
    if (filter.subjectId !== undefined) query = query.where('subject_id', '=', filter.subjectId)
    // Whose users and keys are a project's is not known here.
    if (projectId !== null) query = query.where('level', '=', 'project').where('subject_id', '=', projectId)
    const rows = await query.orderBy('tenant_id').orderBy('level').orderBy('subject_id').orderBy('id').execute()
    return await withUse(tx, parts, rows.map(toQuota))
  })
}

interface CounterRow {
  readonly n: string
  readonly used: string
  readonly reserved: string
  readonly overrun: string
}

async function withUse(
  tx: Transaction<QuotaTables>,
  { windows, clock }: Parts,
  quotas: readonly Quota[],
): Promise<readonly QuotaUse[]> {
  const nowMs = clock.now()
  const placed = quotas.map((quota) => ({ quota, stretch: windows.at(quota.window, quota.timeZone, nowMs) }))
  const starts = placed.map(({ stretch }) => (stretch ? new Date(stretch.startMs).toISOString() : '-infinity'))
  const { rows } = await sql<CounterRow>`
    select wanted.n, counter.used, counter.reserved, counter.overrun
    from unnest(${quotas.map((quota) => quota.id)}::text[], ${starts}::timestamptz[])
      with ordinality as wanted(quota, starts, n)
    join quota_counters counter on counter.quota_id = wanted.quota and counter.window_start = wanted.starts`.execute(tx)
  const byPlace = new Map(rows.map((row) => [Number(row.n) - 1, row]))
  return placed.map(({ quota, stretch }, at) => {
    const row = byPlace.get(at)
    return {
      ...quota,
      windowStart: stretch === null ? null : new Date(stretch.startMs),
      windowEnd: stretch === null ? null : new Date(stretch.endMs),
      // No counter: nothing has been counted yet, which is known to be nothing.
      used: BigInt(row?.used ?? 0),
      reserved: BigInt(row?.reserved ?? 0),
      overrun: BigInt(row?.overrun ?? 0),
    }
  })
}

function toQuota(row: Selectable<QuotaTables['quotas']>): Quota {
  return {
    id: row.id as Id<'quota'>,
    tenantId: row.tenant_id,
    level: row.level,
    subjectId: row.subject_id,
    resource: row.resource,
    kind: row.kind,
    window: row.period,
    timeZone: row.time_zone,
    limit: BigInt(row.max_amount),
    mode: row.mode,
    warnRatio: row.warn_ratio,
  }
}

async function tellChange(
  tx: Transaction<QuotaTables>,
  parts: Parts,
  scope: Scope,
  quota: Quota,
  type: 'quotas.quota.set' | 'quotas.quota.removed',
): Promise<void> {
  const { id, tenantId, limit, ...rest } = quota
  await appendEvent(tx, parts, {
    type,
    version: 1,
    tenantId: tenantId as Id<'tenant'>,
    actor: scope.actor,
    subject: id,
    causationId: null,
    correlationId: null,
    occurredAt: new Date(parts.clock.now()),
    payload: { ...rest, limit: limit.toString() },
  })
}
