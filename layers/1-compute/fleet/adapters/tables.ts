import type { Migrations } from '@medley/store'
import type { ColumnType, Generated } from 'kysely'
import type { ChipFacts, NodeFacts } from '../protocol.ts'

/** JSON columns are written as text and read as parsed values. */
type JsonColumn<Value> = ColumnType<Value, string, string>

export interface FleetTables {
  nodes: {
    id: string
    node_key: string
    boot_id: string
    facts: JsonColumn<NodeFacts>
    first_seen_at: Generated<Date>
    last_seen_at: Generated<Date>
  }
  chips: {
    id: string
    node_id: string
    uuid: string
    vendor: string
    health: string
    facts: JsonColumn<ChipFacts>
    first_seen_at: Generated<Date>
    last_seen_at: Generated<Date>
  }
}

// Nodes and chips belong to the compute centre, not to a tenant: these tables have no tenant_id by design.
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
}
