import type { Migrations } from '@medley/store'
import type { ColumnType, Kysely, Selectable } from 'kysely'

/** Written once. */
type Fixed<Value> = ColumnType<Value, Value, never>
/** PostgreSQL's bigint, which the driver reads as text. */
type Revision = ColumnType<string, string | number, string | number>

export interface EnrolmentTables {
  join_tokens: {
    id: Fixed<string>
    tenant_id: Fixed<string>
    /** The public part of the token, by which it is found. */
    prefix: Fixed<string>
    /** HMAC-SHA-256 of the whole token, hex. */
    hash: Fixed<string>
    note: Fixed<string>
    created_by: Fixed<string>
    created_at: Fixed<Date>
    expires_at: Fixed<Date>
    uses_left: number
    revoked_at: Date | null
    dedicated: Fixed<boolean>
    simulated: Fixed<boolean>
  }
  node_keys: {
    node_key: Fixed<string>
    node_id: string
    /** Ed25519, raw, base64url. */
    public_key: string
    /** Whose node it is; null: the centre's, for all. */
    tenant_id: string | null
    /** Whose token let it in; null: the factory's own. Only the same may renew the key. */
    enrolled_by: Fixed<string | null>
    simulated: Fixed<boolean>
    created_at: Fixed<Date>
    renewed_at: Date | null
    revoked_at: Date | null
    revoked_by: string | null
    reason: string | null
    /** Number of the revocation, in the order of commits; by it other processes learn what is new. */
    revocation: Revision | null
    /** The same for the last time another key took the place of this node's. */
    renewal: Revision | null
  }
  /** The last number of both kinds of changes. */
  node_revocations: { one: Fixed<boolean>; latest: Revision }
}

export type JoinTokenRow = Selectable<EnrolmentTables['join_tokens']>
export type NodeKeyRow = Selectable<EnrolmentTables['node_keys']>

export const enrolmentMigrations: Migrations = {
  '20261123-41-enrolment': {
    async up(db: Kysely<unknown>) {
      // Loaded here and not above: the agent imports this module for its handshake and has no database.
      const [{ sql }, { enableTenantIsolation }] = await Promise.all([import('kysely'), import('@medley/store')])
      await sql`
        create table join_tokens (
          id text primary key,
          tenant_id text not null,
          prefix text not null unique,
          hash text not null,
          note text not null,
          created_by text not null,
          created_at timestamptz not null,
          expires_at timestamptz not null,
          uses_left integer not null check (uses_left >= 0),
          revoked_at timestamptz,
          dedicated boolean not null,
          simulated boolean not null
        )`.execute(db)
      await sql`create index join_tokens_tenant on join_tokens (tenant_id, id desc)`.execute(db)
      await enableTenantIsolation(db, 'join_tokens')
      await sql`
        create table node_keys (
          node_key text primary key,
          node_id text not null unique,
          public_key text not null,
          tenant_id text,
          enrolled_by text,
          simulated boolean not null,
          created_at timestamptz not null,
          renewed_at timestamptz,
          revoked_at timestamptz,
          revoked_by text,
          reason text,
          revocation bigint unique,
          check ((revoked_at is null) = (revocation is null))
        )`.execute(db)
      await enableTenantIsolation(db, 'node_keys')
      await sql`
        create table node_revocations (one boolean primary key default true check (one), latest bigint not null)`.execute(
        db,
      )
      await sql`insert into node_revocations (latest) values (0)`.execute(db)
    },
  },
  '20261123-42-enrolment-renewals': {
    async up(db: Kysely<unknown>) {
      const { sql } = await import('kysely')
      await sql`alter table node_keys add column renewal bigint unique`.execute(db)
    },
  },
}
