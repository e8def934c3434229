import { enableTenantIsolation, type Migrations } from '@medley/store'
import { type ColumnType, type Kysely, sql } from 'kysely'
import { capacityMigrations } from './capacity-tables.ts'

/** PostgreSQL's bigint: the driver reads it as text, to stay exact. */
type BigInteger<Value extends number | null> = ColumnType<Value extends null ? string | null : string, Value, never>
/** Written once. */
type Fixed<Value> = ColumnType<Value, Value, never>

export interface UsageEventsTable {
  id: Fixed<string>
  tenant_id: Fixed<string>
  project_id: Fixed<string>
  request_id: Fixed<string>
  kind: Fixed<'tokens'>
  key_id: Fixed<string>
  endpoint: Fixed<string>
  model: Fixed<string | null>
  revision_id: Fixed<string | null>
  replica_id: Fixed<string | null>
  chip_uuids: Fixed<string[]>
  outcome: Fixed<'completed' | 'aborted' | 'failed' | 'refused' | 'interrupted'>
  http_status: Fixed<number>
  error_code: Fixed<string | null>
  stream: Fixed<boolean>
  prompt_tokens: BigInteger<number | null>
  cached_tokens: BigInteger<number | null>
  completion_tokens: BigInteger<number | null>
  rate_version: Fixed<string | null>
  evidence_id: Fixed<string | null>
  correction_of: Fixed<string | null>
  started_at: Fixed<Date>
  occurred_at: Fixed<Date>
  recorded_at: Fixed<Date>
  duration_ms: BigInteger<number | null>
  ttft_ms: Fixed<number | null>
  app_version_id: Fixed<string | null>
  dataset_version_id: Fixed<string | null>
  contract_id: Fixed<string | null>
}

export interface UsageRejectsTable {
  digest: string
  tenant_id: null
  raw: string
  reason: string
  received_at: Date
}

export interface SupplyTables {
  usage_events: UsageEventsTable
  usage_rejects: UsageRejectsTable
}

async function createTables(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table usage_events (
      id text primary key,
      tenant_id text not null,
      project_id text not null,
      request_id text not null,
      kind text not null check (kind in ('tokens')),
      key_id text not null,
      endpoint text not null,
      model text,
      revision_id text,
      replica_id text,
      chip_uuids text[] not null,
      outcome text not null check (outcome in ('completed', 'aborted', 'failed', 'refused', 'interrupted')),
      http_status integer not null,
      error_code text,
      stream boolean not null,
      prompt_tokens bigint,
      cached_tokens bigint,
      completion_tokens bigint,
      rate_version text,
      evidence_id text,
      correction_of text references usage_events (id),
      started_at timestamptz not null,
      occurred_at timestamptz not null,
      recorded_at timestamptz not null,
      duration_ms bigint check (duration_ms >= 0),
      ttft_ms double precision,
      app_version_id text,
      dataset_version_id text,
      contract_id text,
      -- Only a correction may take something back.
      check (correction_of is not null
        or (coalesce(prompt_tokens, 0) >= 0 and coalesce(cached_tokens, 0) >= 0 and coalesce(completion_tokens, 0) >= 0))
    )`.execute(db)
  // A request is metered once; its later corrections carry the same request id.
  await sql`create unique index usage_events_request on usage_events (request_id) where correction_of is null`.execute(
    db,
  )
  await sql`create index usage_events_tenant_time on usage_events (tenant_id, occurred_at desc, id desc)`.execute(db)
  await sql`create index usage_events_time on usage_events (occurred_at desc, id desc)`.execute(db)
  await enableTenantIsolation(db, 'usage_events')
  await sql`
    create table usage_rejects (
      digest text primary key,
      tenant_id text check (tenant_id is null),
      raw text not null,
      reason text not null,
      received_at timestamptz not null
    )`.execute(db)
  await enableTenantIsolation(db, 'usage_rejects')
}

/** What was metered stays as it was metered: a mistake is corrected by a further event, never by a change. */
async function forbidChanges(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function medley_refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception '% is append-only: % refused', tg_table_name, lower(tg_op) using errcode = 'restrict_violation';
    end $$`.execute(db)
  // For each statement, so that it is refused also where row-level security would leave no row to refuse.
  await sql`
    create trigger usage_events_append_only before update or delete or truncate on usage_events
    for each statement execute function medley_refuse_change()`.execute(db)
}

export const supplyMigrations: Migrations = {
  ...capacityMigrations,
  '20261123-20-supply': {
    async up(db: Kysely<unknown>) {
      await createTables(db)
      await forbidChanges(db)
    },
  },
}
