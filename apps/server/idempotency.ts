import { type Clock, digestOf, type TenantScope } from '@medley/kernel'
import { enableTenantIsolation, type Migrations, type Store } from '@medley/store'
import type { Generated } from 'kysely'

interface IdempotencyTables {
  idempotency_keys: {
    tenant_id: string
    key: string
    /** Digest of method, path and body: the same key for another request is a mistake of the client. */
    request_digest: string
    /** Null while the first request runs. */
    status: number | null
    /** Null where the answer holds a secret, which is kept nowhere. */
    body: string | null
    created_at: Generated<Date>
  }
}

export const idempotencyMigrations: Migrations = {
  '20261123-61-idempotency': {
    async up(db) {
      await db.schema
        .createTable('idempotency_keys')
        .addColumn('tenant_id', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('request_digest', 'text', (column) => column.notNull())
        .addColumn('status', 'integer')
        .addColumn('body', 'text')
        .addColumn('created_at', 'timestamptz', (column) => column.notNull().defaultTo(db.fn('now')))
        .addPrimaryKeyConstraint('idempotency_keys_pkey', ['tenant_id', 'key'])
        .execute()
      await enableTenantIsolation(db, 'idempotency_keys')
    },
  },
}

export type Claim =
  | { readonly kind: 'first' }
  | { readonly kind: 'running' }
  | { readonly kind: 'other-request' }
  | { readonly kind: 'done'; readonly status: number; readonly body: string | null }

/** Remembers for a day what a mutation answered, so that a client which lost the answer may ask again. */
export interface Idempotency {
  claim(scope: TenantScope, key: string, request: string): Promise<Claim>
  /** Keeps the answer; `body` is null where it holds a secret. */
  settle(scope: TenantScope, key: string, answer: { status: number; body: string | null }): Promise<void>
  /** After a failure of ours the same key may be tried again. */
  release(scope: TenantScope, key: string): Promise<void>
}

const REMEMBERED_MS = 86_400_000
/** A request that was killed half-way never settles; after this long its key is free again. */
const ABANDONED_MS = 5 * 60_000

export function createIdempotency({ store, clock }: { store: Store; clock: Clock }): Idempotency {
  const database = store.tables<IdempotencyTables>()
  return {
    claim: (scope, key, request) =>
      database.run(scope, async (tx) => {
        const [now, request_digest] = [clock.now(), digestOf(request)]
        await tx
          .deleteFrom('idempotency_keys')
          .where((where) =>
            where.or([
              where('created_at', '<', new Date(now - REMEMBERED_MS)),
              where.and([where('status', 'is', null), where('created_at', '<', new Date(now - ABANDONED_MS))]),
            ]),
          )
          .execute()
        const inserted = await tx
          .insertInto('idempotency_keys')
          .values({
            tenant_id: scope.tenantId,
            key,
            request_digest,
            status: null,
            body: null,
            created_at: new Date(now),
          })
          .onConflict((conflict) => conflict.columns(['tenant_id', 'key']).doNothing())
          .returning('key')
          .executeTakeFirst()
        if (inserted) return { kind: 'first' }
        const row = await tx.selectFrom('idempotency_keys').selectAll().where('key', '=', key).executeTakeFirst()
        if (!row) return { kind: 'running' }
        if (row.request_digest !== request_digest) return { kind: 'other-request' }
        return row.status === null ? { kind: 'running' } : { kind: 'done', status: row.status, body: row.body }
      }),

    settle: (scope, key, { status, body }) =>
      database.run(scope, async (tx) => {
        await tx.updateTable('idempotency_keys').set({ status, body }).where('key', '=', key).execute()
      }),

    release: (scope, key) =>
      database.run(scope, async (tx) => {
        await tx.deleteFrom('idempotency_keys').where('key', '=', key).execute()
      }),
  }
}
