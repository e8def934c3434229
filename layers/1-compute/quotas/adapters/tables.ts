import { enableTenantIsolation, type Migrations } from '@medley/store'
import { type ColumnType, type Kysely, sql } from 'kysely'
import type { QuotaLevel, QuotaResource, QuotaWindow } from '../domain/terms.ts'
import { createReserveFunction } from './reserve-function.ts'

/** PostgreSQL's bigint: the driver reads it as text, to stay exact. */
type BigInteger = ColumnType<string, string, string>
/** Written once. */
type Fixed<Value> = ColumnType<Value, Value, never>

export interface QuotaTables {
  quotas: {
    id: Fixed<string>
    tenant_id: Fixed<string>
    level: Fixed<QuotaLevel>
    subject_id: Fixed<string>
    resource: Fixed<QuotaResource>
    kind: Fixed<string | null>
    period: Fixed<QuotaWindow>
    mode: Fixed<'hard' | 'soft'>
    time_zone: string
    max_amount: BigInteger
    warn_ratio: number
    warn_amount: BigInteger
    removed_at: Date | null
  }
}

/** `window` and `limit` are words of SQL: they are `period` and `max_amount` here. */
async function createQuotas(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table quotas (
      id text primary key,
      tenant_id text not null,
      level text not null check (level in ('tenant', 'project', 'user', 'key')),
      subject_id text not null,
      resource text not null check (resource in ('cu', 'cards', 'tokens', 'requests', 'storage', 'apps')),
      kind text,
      period text not null check (period in ('minute', 'day', 'month', 'level')),
      mode text not null check (mode in ('hard', 'soft')),
      time_zone text not null,
      max_amount bigint not null check (max_amount >= 0),
      warn_ratio double precision not null,
      warn_amount bigint not null,
      -- Kept after its removal: reservations point to it, and set again it goes on where it was.
      removed_at timestamptz,
      unique nulls not distinct (tenant_id, level, subject_id, resource, kind, period, mode)
    )`.execute(db)
  await enableTenantIsolation(db, 'quotas')
}

/** The rows everybody wants at once: narrow, without an index on what changes, with space for new versions. */
async function createCounters(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table quota_counters (
      tenant_id text not null,
      quota_id text not null references quotas (id),
      -- '-infinity' for a level.
      window_start timestamptz not null,
      window_end timestamptz,
      used bigint not null default 0 check (used >= 0),
      reserved bigint not null default 0 check (reserved >= 0),
      overrun bigint not null default 0 check (overrun >= 0),
      -- Somebody was told: 1 of the warning share, 2 of the soft limit, 3 of both.
      told smallint not null default 0,
      primary key (quota_id, window_start)
    ) with (fillfactor = 50)`.execute(db)
  await sql`
    create index quota_counters_minutes on quota_counters (window_end)
    where window_end - window_start = interval '1 minute'`.execute(db)
  await enableTenantIsolation(db, 'quota_counters')
}

async function createReservations(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table quota_reservations (
      id text primary key,
      tenant_id text not null,
      request_id text not null,
      digest text not null,
      chain jsonb not null,
      -- [{resource, kind, amount}], amounts as text; what was used of each stands at the same place in used_amounts.
      wants jsonb not null,
      used_amounts bigint[],
      state text not null check (state in ('reserved', 'settled', 'returned', 'released', 'expired')),
      -- Settled after it had expired or been released.
      late boolean not null default false,
      reserved_at timestamptz not null,
      expires_at timestamptz not null,
      closed_at timestamptz,
      warnings jsonb not null,
      -- Each quota it counts in: what was reserved, and then used within and beyond the limit.
      item_quotas text[] not null,
      item_starts timestamptz[] not null,
      item_resources text[] not null,
      item_kinds text[] not null,
      item_reserved bigint[] not null,
      item_used bigint[],
      item_overrun bigint[],
      unique (tenant_id, request_id)
    ) with (fillfactor = 80)`.execute(db)
  await sql`
    create index quota_reservations_open on quota_reservations (tenant_id, expires_at) where state = 'reserved'`.execute(
    db,
  )
  await sql`create index quota_reservations_due on quota_reservations (expires_at) where state = 'reserved'`.execute(db)
  await sql`
    create index quota_reservations_over on quota_reservations (closed_at) where closed_at is not null`.execute(db)
  await enableTenantIsolation(db, 'quota_reservations')
}

export const quotasMigrations: Migrations = {
  '20261123-50-quotas': {
    async up(db: Kysely<unknown>) {
      await createQuotas(db)
      await createCounters(db)
      await createReservations(db)
      await createReserveFunction(db)
    },
  },
}
