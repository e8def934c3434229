import { enableTenantIsolation, type Migrations } from '@medley/store'
import { type ColumnType, type Kysely, sql } from 'kysely'

export interface ModelsTable {
  id: string
  /** Null: shared by all tenants. */
  tenant_id: string | null
  name: string
  display_name: string
  digest: string
  /** PostgreSQL's bigint, as the driver reads it. */
  bytes: ColumnType<string, number, never>
  path: string
  source: string
  /** Name of the catalogue entry it was made from; null for a model of the tenant's own. */
  catalogue_entry: string | null
  state: 'ready' | 'damaged'
  /** Size and time of the file when its digest was last checked: while they hold, a start need not hash again. */
  verified_mtime_ms: ColumnType<string, number, number>
  created_at: Date
  verified_at: Date
}

export interface RegistryTables {
  models: ModelsTable
}

export const registryMigrations: Migrations = {
  '20261123-30-registry': {
    async up(db: Kysely<unknown>) {
      await sql`
        create table models (
          id text primary key,
          tenant_id text,
          name text not null,
          display_name text not null,
          digest text not null check (digest ~ '^sha256:[0-9a-f]{64}$'),
          bytes bigint not null check (bytes > 0),
          path text not null,
          source text not null,
          catalogue_entry text,
          state text not null check (state in ('ready', 'damaged')),
          verified_mtime_ms bigint not null,
          created_at timestamptz not null,
          verified_at timestamptz not null,
          unique nulls not distinct (tenant_id, name)
        )`.execute(db)
      await enableTenantIsolation(db, 'models')
      // Beside the isolation: what belongs to nobody may be read by everybody, and still be written by the system only.
      await sql`
        create policy medley_shared_models on models for select
        using (tenant_id is null and current_setting('medley.scope', true) = 'tenant')`.execute(db)
    },
  },
}
