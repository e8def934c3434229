import type { Migrations } from '@medley/store'
import { sql } from 'kysely'

/** Widths of partitions: whole hours for raw samples and whole days for minutes, so that no unit lies in two. */
export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS
export const PARTITION_MS = { metric_raw: 2 * HOUR_MS, metric_minute: DAY_MS, metric_hour: 30 * DAY_MS } as const
export type PartitionedTable = keyof typeof PARTITION_MS

/** Everything is read and written by hand-written SQL: arrays of rows and partitions are not kysely's business. */
export type MonitoringTables = Record<never, never>

// Readings belong to the compute centre, as nodes and chips do: these tables have no tenant_id by design.
export const monitoringMigrations: Migrations = {
  '20261123-14-monitoring': {
    async up(db) {
      for (const statement of TABLES) await sql.raw(statement).execute(db)
      for (const statement of FUNCTIONS) await sql.raw(statement).execute(db)
    },
  },
}

const blobs = (table: string) => `
  create table ${table} (
    from_ms bigint not null,
    node integer not null,
    layout integer not null,
    payload bytea not null,
    primary key (node, from_ms)
  ) partition by range (from_ms)`

const TABLES = [
  `create table metric_nodes (
    number integer generated always as identity primary key,
    node_id text not null unique,
    -- Time of the first sample ever; and of the newest one of which the raw row is gone.
    first_ms bigint,
    newest_ms bigint,
    interval_ms integer not null,
    -- Correction in use, so that a sample handed in again gets the same time again.
    skew_ms bigint not null default 0
  )`,
  `create table metric_layouts (
    id integer generated always as identity primary key,
    digest text not null unique,
    chips jsonb not null,
    metrics jsonb not null
  )`,
  `create table metric_raw (
    at_ms bigint not null,
    node integer not null,
    layout integer not null,
    payload bytea not null,
    primary key (node, at_ms)
  ) partition by range (at_ms)`,
  blobs('metric_minute'),
  blobs('metric_hour'),
  // Compressed already: trying again would only cost time.
  ...['metric_raw', 'metric_minute', 'metric_hour'].map(
    (table) => `alter table ${table} alter column payload set storage external`,
  ),
  // Hours (level 0) and days (level 1) that have to be made, again where samples came since.
  `create table metric_work (
    level smallint not null,
    from_ms bigint not null,
    node integer not null,
    primary key (level, from_ms, node)
  )`,
  'create index metric_work_node on metric_work (node, level, from_ms)',
  `create table metric_gaps (
    node integer not null,
    from_ms bigint not null,
    to_ms bigint not null,
    primary key (node, from_ms)
  )`,
  `create table metric_gap_reports (
    node integer not null,
    from_ms bigint not null,
    to_ms bigint not null,
    reason text not null,
    filled boolean not null default false,
    primary key (node, from_ms, to_ms, reason)
  )`,
  // One row: nothing is stored before this time any more, so that an hour is never made again from half its samples.
  'create table metric_floor (single boolean primary key default true check (single), raw_ms bigint not null)',
  'insert into metric_floor (raw_ms) values (0)',
]

/**
 * Only a table's owner may make or drop its partitions, and a transaction may run as a lesser role (row-level
 * security). These run as the owner, and only for these tables.
 */
const FUNCTIONS = [
  `create function metric_add_partition(parent text, from_ms bigint, to_ms bigint) returns void
    language plpgsql security definer set search_path from current as $body$
    begin
      if parent not in ('metric_raw', 'metric_minute', 'metric_hour') then
        raise exception 'not a table of readings: %', parent;
      end if;
      perform pg_advisory_xact_lock(hashtext('medley:metric-partitions'));
      execute format('create table if not exists %I partition of %I for values from (%s) to (%s)',
        parent || '_' || from_ms, parent, from_ms, to_ms);
      if parent = 'metric_raw' then
        -- Written once, read by key and dropped within a day or two: there is nothing to clean or to learn.
        execute format('alter table %I set (autovacuum_enabled = false)', parent || '_' || from_ms);
      end if;
    end $body$`,
  `create function metric_drop_partition(parent text, from_ms bigint) returns void
    language plpgsql security definer set search_path from current as $body$
    begin
      if parent not in ('metric_raw', 'metric_minute', 'metric_hour') then
        raise exception 'not a table of readings: %', parent;
      end if;
      perform pg_advisory_xact_lock(hashtext('medley:metric-partitions'));
      execute format('drop table if exists %I', parent || '_' || from_ms);
    end $body$`,
]
