import { sql } from 'kysely'
import type { Migrations } from '../ports.ts'
import { enableTenantIsolation } from '../row-security.ts'

/** Woken on commit of a transaction that appended events. */
export const OUTBOX_CHANNEL = 'medley_outbox'

/** The store's own tables. They come first: every other module's events go here. */
export const storeMigrations: Migrations = {
  '20261123-00-outbox': {
    async up(db) {
      await sql`
        create table outbox_events (
          sequence bigint generated always as identity primary key,
          id text not null unique,
          type text not null,
          version integer not null,
          tenant_id text,
          actor jsonb not null,
          subject text not null,
          causation_id text,
          correlation_id text,
          occurred_at timestamptz not null,
          recorded_at timestamptz not null,
          payload jsonb not null,
          payload_digest text not null
        )`.execute(db)
      await sql`create index outbox_events_subject on outbox_events (tenant_id, subject, sequence)`.execute(db)
      await enableTenantIsolation(db, 'outbox_events')
      await sql`
        create table outbox_consumers (
          name text primary key,
          sequence bigint not null,
          updated_at timestamptz not null
        )`.execute(db)
    },
  },
}
