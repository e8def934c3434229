import type { Id, Json, Scope } from '@medley/kernel'
import type { Kysely, Transaction } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Pool } from 'pg'

/** A module's own view of the database: only its tables are visible to the type checker. */
export interface ScopedDatabase<Tables> {
  /**
   * Runs `work` in one transaction under row-level security of `scope`. Commits when it resolves, rolls back when
   * it throws. Serialisation failures and lost connections before the first statement are retried.
   */
  run<Result>(scope: Scope, work: (tx: Transaction<Tables>) => Promise<Result>): Promise<Result>
}

export interface Store {
  tables<Tables>(): ScopedDatabase<Tables>
  /** Resolves when a trivial query answers; rejects with the reason otherwise. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** What the composition root holds; modules are handed the narrower {@link Store}. */
export interface OpenedStore extends Store {
  /** For libraries that bring their own tables (people and sessions). Bypasses nothing but also scopes nothing. */
  readonly pool: Pool
  /** Queries without a scope: rows under row-level security are invisible to them. */
  unscoped<Tables>(): Kysely<Tables>
}

/** How to reach a PostgreSQL server; `host` is a directory when it begins with a slash (unix socket). */
export interface StoreConnection {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** Migrations by name; names sort in the order they run and never change: `20261123-10-fleet`. */
export type Migrations = Readonly<Record<string, Migration>>

/** A fact that happened, written in the same transaction as the change it tells of (transactional outbox). */
export interface NewEvent {
  /** `<module>.<noun>.<past participle>`, such as `serving.deployment.created`. */
  readonly type: string
  readonly version: number
  readonly tenantId: Id<'tenant'> | null
  readonly actor: { readonly kind: string; readonly id: string }
  /** Id of the thing the event is about. */
  readonly subject: string
  readonly causationId: string | null
  readonly correlationId: string | null
  readonly occurredAt: Date
  readonly payload: Json
}

export interface StoredEvent extends NewEvent {
  /** Gapless in commit order as far as consumers see it. */
  readonly sequence: bigint
  readonly id: Id<'event'>
  readonly recordedAt: Date
  readonly payloadDigest: string
}

export type { Migration, Scope, Transaction }
