import type { Migration } from '@medley/store'
import { sql } from 'kysely'

/**
 * What operators and the fleet's own clockwork know of nodes and chips, and the history of chips.
 *
 * A node without a tenant is the compute centre's own and visible to all tenants, so the common policy of the store
 * does not fit: the fleet works under the system scope and asks for the viewer in each query.
 */
export const standingMigration: Migration = {
  async up(db) {
    await sql`
      alter table nodes
        add column digest text,
        add column tenant_id text,
        add column simulated boolean not null default false,
        add column hostname text generated always as (coalesce(facts ->> 'hostname', '')) stored,
        add column state text not null default 'away' check (state in ('connected', 'away', 'revoked')),
        add column state_since timestamptz not null default now(),
        add column labels jsonb not null default '{}',
        add column taints jsonb not null default '[]',
        add column rack text,
        add column spine text,
        add column cordon_state text check (cordon_state in ('cordoned', 'draining', 'drained')),
        add column cordon_since timestamptz,
        add column cordon_by text,
        add column cordon_reason text,
        add column clock_skew_ms double precision,
        add column revoked_at timestamptz`.execute(db)
    // Written every minute: room on the page keeps that from touching an index.
    await sql`alter table nodes set (fillfactor = 70)`.execute(db)
    await sql`create index nodes_state on nodes (state)`.execute(db)
    await sql`create index nodes_rack on nodes (rack) where rack is not null`.execute(db)

    await sql`
      alter table chips
        add column uuid_scope text not null default '',
        add column digest text,
        add column state text not null default 'unknown',
        add column state_since timestamptz not null default now(),
        add column evidence jsonb not null default '[]',
        add column card_key text not null default '',
        add column product text not null default '',
        add column driver_version text,
        add column firmware_version text,
        add column simulated boolean not null default false,
        add column search text not null default '',
        add column quarantined_at timestamptz,
        add column quarantine_reason jsonb,
        add column quarantined_by text,
        add column released_at timestamptz`.execute(db)
    await sql`
      update chips set state = health, state_since = last_seen_at, card_key = coalesce(facts ->> 'cardKey', uuid),
        product = coalesce(facts ->> 'product', ''), driver_version = facts ->> 'driverVersion',
        firmware_version = facts ->> 'firmwareVersion', simulated = coalesce((facts ->> 'simulated')::boolean, false),
        search = lower(concat_ws(' ', facts ->> 'product', uuid, facts ->> 'serial'))`.execute(db)
    await sql`
      alter table chips add check (
        state in ('absent', 'no-driver', 'unusable', 'lost', 'degraded', 'healthy', 'unknown'))`.execute(db)
    await sql`alter table chips drop constraint chips_uuid_key`.execute(db)
    await sql`create unique index chips_uuid on chips (uuid, uuid_scope)`.execute(db)
    await sql`create index chips_node on chips (node_id, id)`.execute(db)
    await sql`create index chips_vendor on chips (vendor, id)`.execute(db)
    await sql`create index chips_state on chips (state, id)`.execute(db)

    await sql`
      create table chip_events (
        id text primary key,
        sequence bigint generated always as identity,
        chip_id text not null references chips (id),
        node_id text not null,
        at timestamptz not null,
        kind text not null,
        from_value text,
        to_value text,
        evidence jsonb not null,
        by_actor text,
        agent_at_ms bigint
      )`.execute(db)
    await sql`create index chip_events_chip on chip_events (chip_id, at, sequence)`.execute(db)
    await sql`create index chip_events_node on chip_events (node_id, at, sequence)`.execute(db)
    await sql`create index chip_events_time on chip_events (at, sequence)`.execute(db)
    await sql`
      create unique index chip_events_agent on chip_events (chip_id, agent_at_ms, to_value)
      where agent_at_ms is not null`.execute(db)
    await sql`
      create function medley_refuse_chip_event_change() returns trigger language plpgsql as $$
      begin
        raise exception 'chip_events is append-only' using errcode = 'restrict_violation';
      end $$`.execute(db)
    await sql`
      create trigger chip_events_append_only before update or delete on chip_events
      for each row execute function medley_refuse_chip_event_change()`.execute(db)
    await sql`
      create trigger chip_events_no_truncate before truncate on chip_events
      for each statement execute function medley_refuse_chip_event_change()`.execute(db)
    await sql`
      insert into chip_events (id, chip_id, node_id, at, kind, to_value, evidence)
      select 'event_' || gen_random_uuid(), id, node_id, state_since, 'found', state, '[]' from chips`.execute(db)

    await sql`
      create table chip_claims (
        node_id text not null references nodes (id),
        chip_id text not null references chips (id),
        primary key (node_id, chip_id)
      )`.execute(db)

    await sql`
      create table maintenance_windows (
        id text primary key,
        node_id text not null references nodes (id),
        starts_at timestamptz not null,
        ends_at timestamptz not null check (ends_at > starts_at),
        reason text not null,
        created_by text not null,
        created_at timestamptz not null default now()
      )`.execute(db)
    await sql`create index maintenance_windows_node on maintenance_windows (node_id, ends_at)`.execute(db)
  },
}
