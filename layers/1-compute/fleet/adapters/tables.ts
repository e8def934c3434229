import type { Migrations } from '@medley/store'
import { type ColumnType, type Generated, sql } from 'kysely'
import type { ChipState, Coded } from '../domain/state.ts'
import type { ChipFacts, NodeFacts } from '../protocol.ts'
import type { ChipEvent, CordonState, NodeState, Taint } from '../views.ts'
import { standingMigration } from './standing-migration.ts'

/** JSON columns are written as text and read as parsed values. */
type JsonColumn<Value> = ColumnType<Value, string, string>
type JsonWithDefault<Value> = ColumnType<Value, string | undefined, string>

export interface FleetTables {
  nodes: {
    id: string
    node_key: string
    boot_id: string
    facts: JsonColumn<NodeFacts>
    /** Of what the agent said last; null: unknown, the next report is written. */
    digest: string | null
    tenant_id: string | null
    simulated: Generated<boolean>
    /** Generated from the facts. */
    hostname: ColumnType<string, never, never>
    state: Generated<NodeState>
    state_since: Generated<Date>
    labels: JsonWithDefault<Readonly<Record<string, string>>>
    taints: JsonWithDefault<readonly Taint[]>
    rack: string | null
    spine: string | null
    cordon_state: CordonState | null
    cordon_since: Date | null
    cordon_by: string | null
    cordon_reason: string | null
    clock_skew_ms: number | null
    revoked_at: Date | null
    first_seen_at: Generated<Date>
    last_seen_at: Generated<Date>
  }
  chips: {
    id: string
    node_id: string
    uuid: string
    /** The node's id for a uuid that is only made from a slot; empty for the vendor's own, which is unique on earth. */
    uuid_scope: Generated<string>
    vendor: string
    health: string
    /** Without readings: those are in memory and with the monitoring. */
    facts: JsonColumn<ChipFacts>
    digest: string | null
    state: Generated<ChipState>
    state_since: Generated<Date>
    evidence: JsonWithDefault<readonly Coded[]>
    card_key: Generated<string>
    /** As it was last known by a working tool. */
    product: Generated<string>
    driver_version: string | null
    firmware_version: string | null
    simulated: Generated<boolean>
    /** What a search looks into, in small letters. */
    search: Generated<string>
    quarantined_at: Date | null
    quarantine_reason: ColumnType<Coded | null, string | null, string | null>
    quarantined_by: string | null
    released_at: Date | null
    /** Taken out for good, on an operator's word. */
    retired_at: Date | null
    retired_reason: ColumnType<Coded | null, string | null, string | null>
    retired_by: string | null
    first_seen_at: Generated<Date>
    last_seen_at: Generated<Date>
  }
  chip_events: {
    id: string
    /** Order of writing: tells events of the same millisecond apart. */
    sequence: Generated<string>
    chip_id: string
    node_id: string
    at: Date
    kind: ChipEvent['kind']
    /** Null for `found` and `state`, where it follows from the event before. */
    from_value: string | null
    to_value: string | null
    evidence: JsonColumn<readonly Coded[]>
    by_actor: string | null
    /** The agent's own time of a change it kept, milliseconds. */
    agent_at_ms: string | null
  }
  /** Nodes that report a chip which another one holds; told once each. */
  chip_claims: { node_id: string; chip_id: string }
  maintenance_windows: {
    id: string
    node_id: string
    starts_at: Date
    ends_at: Date
    reason: string
    created_by: string
    created_at: Generated<Date>
  }
}

export const fleetMigrations: Migrations = {
  '20261123-10-fleet': {
    async up(db) {
      await db.schema
        .createTable('nodes')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('node_key', 'text', (column) => column.notNull().unique())
        .addColumn('boot_id', 'text', (column) => column.notNull())
        .addColumn('facts', 'jsonb', (column) => column.notNull())
        .addColumn('first_seen_at', 'timestamptz', (column) => column.notNull().defaultTo(db.fn('now')))
        .addColumn('last_seen_at', 'timestamptz', (column) => column.notNull().defaultTo(db.fn('now')))
        .execute()
      await db.schema
        .createTable('chips')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('node_id', 'text', (column) => column.notNull().references('nodes.id'))
        .addColumn('uuid', 'text', (column) => column.notNull().unique())
        .addColumn('vendor', 'text', (column) => column.notNull())
        .addColumn('health', 'text', (column) => column.notNull())
        .addColumn('facts', 'jsonb', (column) => column.notNull())
        .addColumn('first_seen_at', 'timestamptz', (column) => column.notNull().defaultTo(db.fn('now')))
        .addColumn('last_seen_at', 'timestamptz', (column) => column.notNull().defaultTo(db.fn('now')))
        .execute()
    },
  },
  '20261123-20-fleet-standing': standingMigration,
  '20261123-30-fleet-retired': {
    async up(db) {
      await sql`
        alter table chips
          add column retired_at timestamptz,
          add column retired_reason jsonb,
          add column retired_by text`.execute(db)
    },
  },
}
