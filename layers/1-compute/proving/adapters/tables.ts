import type { Migrations } from '@medley/store'
import { type ColumnType, sql } from 'kysely'
import type { Reason } from '../domain/noise.ts'

type JsonColumn<Value> = ColumnType<Value, string, never>

export interface ProvingTables {
  proving_records: {
    id: string
    run_id: string
    /** Null: the compute centre's own measurement. */
    tenant_id: string | null
    suite: string
    chip_uuid: string
    /** Canonical JSON, byte for byte what was digested and signed. */
    evidence: string
    digest: string
    signature_key_id: string
    signature_algorithm: string
    signature: string
    created_at: Date
  }
  proving_scores: {
    record_id: string
    chip_uuid: string
    event: string
    state: string
    score: number | null
    low: number | null
    high: number | null
    efficiency: number | null
    tokens_per_second: number | null
    reasons: JsonColumn<readonly Reason[]>
    created_at: Date
  }
  proving_chip_rates: {
    chip_uuid: string
    threads: number
    kind: string
    rate: number
    record_id: string
    updated_at: Date
  }
}

/**
 * Records carry a tenant for those who will measure on leased chips; scores and best rates describe a chip, belong
 * to the compute centre, and have no tenant by design.
 */
export const provingMigrations: Migrations = {
  '20261123-40-proving': {
    async up(db) {
      // Only the server migrates: agents import this module too, and shall not load a database driver for it.
      const { enableTenantIsolation } = await import('@medley/store')
      await sql`
        create table proving_records (
          id text primary key,
          run_id text not null unique,
          tenant_id text,
          suite text not null,
          chip_uuid text not null,
          evidence text not null,
          digest text not null unique,
          signature_key_id text not null,
          signature_algorithm text not null,
          signature text not null,
          created_at timestamptz not null
        )`.execute(db)
      await sql`create index proving_records_chip on proving_records (chip_uuid, id)`.execute(db)
      await enableTenantIsolation(db, 'proving_records')
      await sql`
        create function proving_records_are_final() returns trigger language plpgsql as $$
        begin raise exception 'proving records are final'; end $$`.execute(db)
      await sql`
        create trigger proving_records_final before update or delete on proving_records
        for each row execute function proving_records_are_final()`.execute(db)
      await sql`
        create table proving_scores (
          record_id text not null references proving_records (id),
          chip_uuid text not null,
          event text not null,
          state text not null check (state in ('partial', 'noisy', 'void')),
          score double precision check (score between 0 and 100),
          low double precision,
          high double precision,
          efficiency double precision,
          tokens_per_second double precision,
          reasons jsonb not null,
          created_at timestamptz not null,
          primary key (record_id, event),
          check ((state = 'partial') = (score is not null))
        )`.execute(db)
      await sql`create index proving_scores_latest on proving_scores (chip_uuid, event, record_id desc)`.execute(db)
      await sql`
        create table proving_chip_rates (
          chip_uuid text not null,
          threads integer not null,
          kind text not null,
          rate double precision not null check (rate > 0),
          record_id text not null references proving_records (id),
          updated_at timestamptz not null,
          primary key (chip_uuid, threads, kind)
        )`.execute(db)
    },
  },
}
