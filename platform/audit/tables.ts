import { enableTenantIsolation, type Migrations } from '@medley/store'
import { type ColumnType, type Kysely, sql } from 'kysely'
import type { AuditEntry } from './ports.ts'

/** Written once. */
type Fixed<Value> = ColumnType<Value, Value, never>

export interface AuditTables {
  audit_entries: {
    id: Fixed<string>
    at: Fixed<Date>
    tenant_id: Fixed<string | null>
    actor_kind: Fixed<AuditEntry['actor']['kind']>
    actor_id: Fixed<string>
    action: Fixed<string>
    subject: Fixed<string | null>
    outcome: Fixed<AuditEntry['outcome']>
    code: Fixed<string | null>
    source: Fixed<string | null>
    detail: ColumnType<Record<string, unknown>, string, never>
  }
}

async function createTable(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table audit_entries (
      id text primary key,
      at timestamptz not null,
      tenant_id text,
      actor_kind text not null check (actor_kind in ('user', 'key', 'system', 'node', 'anonymous')),
      actor_id text not null,
      action text not null,
      subject text,
      outcome text not null check (outcome in ('done', 'denied', 'failed')),
      code text,
      -- Where the request came from; "from" is a word of SQL.
      source text,
      detail jsonb not null
    )`.execute(db)
  await sql`create index audit_entries_tenant_time on audit_entries (tenant_id, at desc, id desc)`.execute(db)
  await sql`create index audit_entries_time on audit_entries (at desc, id desc)`.execute(db)
  await sql`
    create index audit_entries_subject on audit_entries (subject, at desc, id desc) where subject is not null`.execute(
    db,
  )
  await enableTenantIsolation(db, 'audit_entries')
}

/** For each statement, so that it is refused also where row-level security would leave no row to refuse. */
async function forbidChanges(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function medley_audit_refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception '% is append-only: % refused', tg_table_name, lower(tg_op) using errcode = 'restrict_violation';
    end $$`.execute(db)
  await sql`
    create trigger audit_entries_append_only before update or delete or truncate on audit_entries
    for each statement execute function medley_audit_refuse_change()`.execute(db)
}

export const auditMigrations: Migrations = {
  '20261123-40-audit': {
    async up(db: Kysely<unknown>) {
      await createTable(db)
      await forbidChanges(db)
    },
  },
  '20261123-43-audit-filters': {
    // What is looked for is rare among all that went well: a page of it must not walk the whole of the audit. Each
    // filter for one tenant, whose condition is in the query, and for the centre, which asks without one.
    async up(db: Kysely<unknown>) {
      await sql`
        create index audit_entries_refused on audit_entries (outcome, at desc, id desc) where outcome <> 'done'`.execute(
        db,
      )
      await sql`
        create index audit_entries_tenant_refused on audit_entries (tenant_id, outcome, at desc, id desc)
        where outcome <> 'done'`.execute(db)
      await sql`create index audit_entries_action on audit_entries (action, at desc, id desc)`.execute(db)
      await sql`
        create index audit_entries_tenant_action on audit_entries (tenant_id, action, at desc, id desc)`.execute(db)
    },
  },
}
