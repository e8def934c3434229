import { enableTenantIsolation, type Migrations } from '@medley/store'
import { type ColumnType, type Kysely, sql } from 'kysely'
import type { Sheet } from '../domain/capacity-input.ts'

export interface SheetOverridesTable {
  vendor: string
  product: string
  tenant_id: null
  sheet: ColumnType<Sheet, string, string>
  source: string
  given_by: string
  given_at: Date
}

export interface CapacityPointsTable {
  /** Beginning of the hour. */
  at: Date
  dtype: string
  tenant_id: null
  nominal: number
  effective: number | null
  usable: number
  /** `integer`: read as a number. */
  chips: number
}

export interface CapacityTables {
  sheet_overrides: SheetOverridesTable
  capacity_points: CapacityPointsTable
}

export const capacityMigrations: Migrations = {
  '20261123-51-supply-capacity': {
    async up(db: Kysely<unknown>) {
      await sql`
        create table sheet_overrides (
          vendor text not null,
          product text not null,
          tenant_id text check (tenant_id is null),
          sheet jsonb not null,
          source text not null,
          given_by text not null,
          given_at timestamptz not null,
          primary key (vendor, product)
        )`.execute(db)
      await sql`
        create table capacity_points (
          at timestamptz not null,
          dtype text not null,
          tenant_id text check (tenant_id is null),
          nominal double precision not null,
          effective double precision,
          usable double precision not null,
          chips integer not null,
          primary key (dtype, at)
        )`.execute(db)
      await enableTenantIsolation(db, 'sheet_overrides')
      await enableTenantIsolation(db, 'capacity_points')
    },
  },
}
