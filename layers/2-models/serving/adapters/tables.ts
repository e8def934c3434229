import { enableTenantIsolation, type Migrations } from '@medley/store'
import { type ColumnType, type Generated, sql } from 'kysely'
import type { RevisionSpec } from '../domain/revision.ts'
import type { EngineFacts } from '../protocol.ts'

/** JSON columns are written as text and read as parsed values. */
type JsonColumn<Value> = ColumnType<Value, null extends Value ? string | undefined : string, string>

export interface ServingTables {
  deployments: {
    id: string
    tenant_id: string
    project_id: string
    name: string
    served_model: string
    desired: 'running' | 'stopped'
    current_revision_id: string | null
    created_at: Generated<Date>
  }
  deployment_revisions: {
    id: string
    deployment_id: string
    tenant_id: string
    project_id: string
    digest: string
    spec: JsonColumn<RevisionSpec>
    created_at: Generated<Date>
  }
  replicas: {
    id: string
    deployment_id: string
    revision_id: string
    tenant_id: string
    project_id: string
    node_id: string
    chip_uuids: string[]
    state: string
    endpoint: string | null
    restarts: number
    error: JsonColumn<{ code: string; params: Record<string, string> } | null>
    progress: JsonColumn<{ step: string; done: number; total: number | null; unit: string } | null>
    facts: JsonColumn<EngineFacts | null>
    updated_at: Generated<Date>
  }
}

const OWNED = ['deployments', 'deployment_revisions', 'replicas'] as const

export const servingMigrations: Migrations = {
  '20261123-40-serving': {
    async up(db) {
      await db.schema
        .createTable('deployments')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('tenant_id', 'text', (column) => column.notNull())
        .addColumn('project_id', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('served_model', 'text', (column) => column.notNull())
        .addColumn('desired', 'text', (column) => column.notNull())
        .addColumn('current_revision_id', 'text')
        .addColumn('created_at', 'timestamptz', (column) => column.notNull().defaultTo(db.fn('now')))
        .addUniqueConstraint('deployments_name', ['tenant_id', 'name'])
        .execute()
      await db.schema
        .createTable('deployment_revisions')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('deployment_id', 'text', (column) => column.notNull().references('deployments.id'))
        .addColumn('tenant_id', 'text', (column) => column.notNull())
        .addColumn('project_id', 'text', (column) => column.notNull())
        .addColumn('digest', 'text', (column) => column.notNull())
        .addColumn('spec', 'jsonb', (column) => column.notNull())
        .addColumn('created_at', 'timestamptz', (column) => column.notNull().defaultTo(db.fn('now')))
        .execute()
      await db.schema
        .createTable('replicas')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('deployment_id', 'text', (column) => column.notNull().references('deployments.id'))
        .addColumn('revision_id', 'text', (column) => column.notNull().references('deployment_revisions.id'))
        .addColumn('tenant_id', 'text', (column) => column.notNull())
        .addColumn('project_id', 'text', (column) => column.notNull())
        .addColumn('node_id', 'text', (column) => column.notNull())
        .addColumn('chip_uuids', sql`text[]`, (column) => column.notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('endpoint', 'text')
        .addColumn('restarts', 'integer', (column) => column.notNull())
        .addColumn('error', 'jsonb')
        .addColumn('progress', 'jsonb')
        .addColumn('facts', 'jsonb')
        .addColumn('updated_at', 'timestamptz', (column) => column.notNull().defaultTo(db.fn('now')))
        .execute()
      // An answer's request id leads to its revision: a revision that could change would make that evidence worthless.
      await sql`
        CREATE FUNCTION forbid_revision_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'deployment revisions are immutable'; END $$`.execute(db)
      await sql`
        CREATE TRIGGER deployment_revisions_immutable BEFORE UPDATE OR DELETE ON deployment_revisions
        FOR EACH ROW EXECUTE FUNCTION forbid_revision_change()`.execute(db)
      for (const table of OWNED) await enableTenantIsolation(db, table)
    },
  },
}
