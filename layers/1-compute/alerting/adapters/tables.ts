import type { Locale, Localized } from '@medley/kernel'
import { enableTenantIsolation, type Migrations } from '@medley/store'
import { type ColumnType, type Kysely, sql } from 'kysely'
import type { Coded } from '../domain/observation.ts'
import type { Condition, Severity } from '../domain/rule.ts'
import type { ChannelKind } from '../ports.ts'

/** Written as text, read parsed. */
type JsonColumn<Value> = ColumnType<Value, string, string>

export interface AlertRulesTable {
  id: string
  tenant_id: null
  /** Key of a built-in rule; null for the operator's own. */
  built_in: string | null
  name: JsonColumn<Localized>
  enabled: boolean
  severity: Severity
  condition: JsonColumn<Condition>
  for_seconds: number
  vendors: string[]
  include_simulated: boolean
  channel_ids: string[]
}

export interface AlertChannelsTable {
  id: string
  tenant_id: null
  name: string
  kind: ChannelKind
  address: string
  sealed: Buffer
  signed: boolean
  locale: Locale
  enabled: boolean
  created_at: Date
  /** No message before this: the interval between messages, the wait after a failure, or one is under way. */
  next_try_at: Date
  /** Messages that failed since the last that did not. */
  failures: number
}

export interface AlertsTable {
  id: string
  /** Of the node; null: the centre's own. */
  tenant_id: string | null
  rule_id: string
  subject_id: string
  rule_name: JsonColumn<Localized>
  severity: Severity
  state: 'firing' | 'resolved'
  node_id: string | null
  chip_id: string | null
  subject: string
  simulated: boolean
  value: number | null
  evidence: JsonColumn<readonly Coded[]>
  started_at: Date
  resolved_at: Date | null
  acknowledged_at: Date | null
  acknowledged_by: string | null
  acknowledged_note: string | null
}

/** Where one rule stands with one subject, between two evaluations. */
export interface AlertStandingsTable {
  rule_id: string
  subject_id: string
  tenant_id: null
  phase: 'pending' | 'firing' | 'recovering'
  since: Date
  unknown_since: Date | null
}

/** What `increased-by` must remember of the last hour. */
export interface AlertTrailsTable {
  chip_id: string
  metric: string
  tenant_id: null
  trail: JsonColumn<unknown>
}

export interface AlertDeliveriesTable {
  id: string
  tenant_id: string | null
  alert_id: string
  channel_id: string
  event: 'firing' | 'resolved'
  state: 'waiting' | 'delivered' | 'failed'
  attempts: number
  last_error: string | null
  created_at: Date
  /** Not before: others of the same failure are waited for. */
  due_at: Date
  at: Date
}

export interface AlertingTables {
  alert_rules: AlertRulesTable
  alert_channels: AlertChannelsTable
  alerts: AlertsTable
  alert_standings: AlertStandingsTable
  alert_trails: AlertTrailsTable
  alert_deliveries: AlertDeliveriesTable
}

async function createSettings(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table alert_rules (
      id text primary key,
      tenant_id text check (tenant_id is null),
      built_in text unique,
      name jsonb not null,
      enabled boolean not null,
      severity text not null check (severity in ('info', 'warning', 'critical')),
      condition jsonb not null,
      for_seconds integer not null check (for_seconds >= 0),
      vendors text[] not null,
      include_simulated boolean not null,
      channel_ids text[] not null
    )`.execute(db)
  await sql`
    create table alert_channels (
      id text primary key,
      tenant_id text check (tenant_id is null),
      name text not null,
      kind text not null check (kind in ('wecom', 'feishu', 'dingtalk', 'webhook')),
      address text not null,
      sealed bytea not null,
      signed boolean not null,
      locale text not null,
      enabled boolean not null,
      created_at timestamptz not null,
      next_try_at timestamptz not null,
      failures integer not null default 0
    )`.execute(db)
}

async function createAlerts(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table alerts (
      id text primary key,
      tenant_id text,
      rule_id text not null,
      subject_id text not null,
      rule_name jsonb not null,
      severity text not null,
      state text not null check (state in ('firing', 'resolved')),
      node_id text,
      chip_id text,
      subject text not null,
      simulated boolean not null,
      value double precision,
      evidence jsonb not null,
      started_at timestamptz not null,
      resolved_at timestamptz,
      acknowledged_at timestamptz,
      acknowledged_by text,
      acknowledged_note text,
      check ((state = 'resolved') = (resolved_at is not null))
    )`.execute(db)
  // However many servers evaluate: one rule calls once for one subject.
  await sql`create unique index alerts_open on alerts (rule_id, subject_id) where state = 'firing'`.execute(db)
  await sql`create index alerts_time on alerts (started_at desc, id desc)`.execute(db)
  await sql`create index alerts_firing on alerts (started_at desc, id desc) where state = 'firing'`.execute(db)
  await sql`create index alerts_resolved on alerts (resolved_at) where state = 'resolved'`.execute(db)
  await sql`
    create table alert_standings (
      rule_id text not null,
      subject_id text not null,
      tenant_id text check (tenant_id is null),
      phase text not null check (phase in ('pending', 'firing', 'recovering')),
      since timestamptz not null,
      unknown_since timestamptz,
      primary key (rule_id, subject_id)
    )`.execute(db)
  await sql`
    create table alert_trails (
      chip_id text not null,
      metric text not null,
      tenant_id text check (tenant_id is null),
      trail jsonb not null,
      primary key (chip_id, metric)
    )`.execute(db)
}

async function createDeliveries(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table alert_deliveries (
      id text primary key,
      tenant_id text,
      alert_id text not null references alerts (id) on delete cascade,
      channel_id text not null,
      event text not null check (event in ('firing', 'resolved')),
      state text not null check (state in ('waiting', 'delivered', 'failed')),
      attempts integer not null default 0,
      last_error text,
      created_at timestamptz not null,
      due_at timestamptz not null,
      at timestamptz not null,
      unique (alert_id, channel_id, event)
    )`.execute(db)
  await sql`create index alert_deliveries_due on alert_deliveries (channel_id, due_at) where state = 'waiting'`.execute(
    db,
  )
}

const TABLES = [
  'alert_rules',
  'alert_channels',
  'alerts',
  'alert_standings',
  'alert_trails',
  'alert_deliveries',
] as const

export const alertingMigrations: Migrations = {
  '20261123-50-alerting': {
    async up(db: Kysely<unknown>) {
      await createSettings(db)
      await createAlerts(db)
      await createDeliveries(db)
      for (const table of TABLES) await enableTenantIsolation(db, table)
    },
  },
}
