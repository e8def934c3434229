import type { Clock, Id, IdFactory, RandomBytes, Scope, TenantScope } from '@medley/kernel'
import { systemScope } from '@medley/kernel'
import { appendEvent, type Store, type Transaction } from '@medley/store'
import { z } from 'zod'
import { identityErrors } from '../errors.ts'
import type { ApiKeyRow, IdentityTables } from '../tables.ts'
import { hashKey, matchesHash, newKeyText, prefixOf } from './key-text.ts'

/** A key as it may be shown at any time: without the key. */
export interface ApiKeyRecord {
  readonly id: Id<'key'>
  readonly tenantId: Id<'tenant'>
  readonly projectId: Id<'project'>
  readonly name: string
  readonly prefix: string
  readonly scopes: readonly string[]
  readonly createdAt: Date
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
  readonly lastUsedAt: Date | null
}

export interface NewApiKey {
  readonly name: string
  /** `inference`, or `*` for everything a key can do. */
  readonly scopes: readonly string[]
  readonly expiresAt: Date | null
}

/** What a gateway worker must know to judge a key by itself. */
export interface KeySnapshot {
  /** Grows with every creation and revocation, in commit order. */
  readonly revision: number
  readonly keys: readonly {
    readonly id: string
    readonly prefix: string
    readonly hash: string
    readonly tenantId: string
    readonly projectId: string
    readonly scopes: string[]
    /** Milliseconds since the Unix epoch. */
    readonly expiresAt: number | null
  }[]
}

export interface ApiKeys {
  /** @returns the key itself too; it is stored nowhere and cannot be shown again. */
  create(scope: TenantScope, wanted: NewApiKey): Promise<{ readonly key: string; readonly record: ApiKeyRecord }>
  /** Newest first. */
  list(
    scope: Scope,
    page: { readonly cursor: string | null; readonly limit: number },
  ): Promise<{ readonly items: readonly ApiKeyRecord[]; readonly nextCursor: string | null }>
  /**
   * Revoking twice keeps the first time.
   *
   * @throws identity.key.not_found
   */
  revoke(scope: Scope, id: string): Promise<ApiKeyRecord>
  /** Keys in force; revoked and expired ones are left out. */
  snapshotKeys(): Promise<KeySnapshot>
  /** @returns null for anything but a key in force. */
  verifyKey(key: string): Promise<ApiKeyRecord | null>
  /** Moves `lastUsedAt` forward, never back; unknown ids are passed over. */
  recordUse(uses: readonly { readonly keyId: string; readonly at: Date }[]): Promise<void>
}

export interface ApiKeyDependencies {
  readonly store: Store
  readonly pepper: string
  readonly ids: IdFactory
  readonly clock: Clock
  readonly randomBytes: RandomBytes
}

const SYSTEM = systemScope('identity')
const newApiKey = z.object({
  name: z.string().trim().min(1).max(100),
  scopes: z.array(z.string().min(1).max(50)).min(1).max(20),
})

export function createApiKeys(deps: ApiKeyDependencies): ApiKeys {
  const { store, pepper, ids, clock, randomBytes } = deps
  const db = store.tables<IdentityTables>()
  const now = (): Date => new Date(clock.now())

  return {
    async create(scope, wanted) {
      const parsed = newApiKey.safeParse(wanted)
      const expiresAt = wanted.expiresAt
      if (!parsed.success || (expiresAt !== null && !(expiresAt > now()))) throw identityErrors['key.invalid']()
      const projectId = scope.projectId
      if (projectId === null) throw identityErrors['key.project_missing']()
      const { key, prefix } = newKeyText(randomBytes)
      const record = await db.run(scope, async (tx) => {
        const row = await tx
          .insertInto('api_keys')
          .values({
            id: ids.next('key'),
            tenant_id: scope.tenantId,
            project_id: projectId,
            name: parsed.data.name,
            prefix,
            hash: hashKey(pepper, key),
            scopes: parsed.data.scopes,
            created_at: now(),
            expires_at: expiresAt,
            revision: await nextRevision(tx),
          })
          .returningAll()
          .executeTakeFirstOrThrow()
        await announce(tx, deps, scope, 'identity.key.created', row)
        return present(row)
      })
      return { key, record }
    },

    async list(scope, { cursor, limit }) {
      const rows = await db.run(scope, (tx) => {
        const keys = tx
          .selectFrom('api_keys')
          .selectAll()
          .orderBy('id', 'desc')
          .limit(limit + 1)
        return (cursor === null ? keys : keys.where('id', '<', cursor)).execute()
      })
      const items = rows.slice(0, limit).map(present)
      return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
    },

    revoke: (scope, id) =>
      db.run(scope, async (tx) => {
        const found = await tx.selectFrom('api_keys').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
        if (found === undefined) throw identityErrors['key.not_found']({ id })
        if (found.revoked_at !== null) return present(found)
        const row = await tx
          .updateTable('api_keys')
          .set({ revoked_at: now(), revision: await nextRevision(tx) })
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirstOrThrow()
        await announce(tx, deps, scope, 'identity.key.revoked', row)
        return present(row)
      }),

    snapshotKeys: () =>
      db.run(SYSTEM, async (tx) => {
        // The number first: a key that comes in between is then sent twice instead of never.
        const { revision } = await tx.selectFrom('api_key_revision').select('revision').executeTakeFirstOrThrow()
        const rows = await inForce(tx, now()).orderBy('id').execute()
        return { revision: Number(revision), keys: rows.map(toSnapshot) }
      }),

    async verifyKey(key) {
      const prefix = prefixOf(key)
      if (prefix === null) return null
      const row = await db.run(SYSTEM, (tx) => inForce(tx, now()).where('prefix', '=', prefix).executeTakeFirst())
      return row !== undefined && matchesHash(pepper, key, row.hash) ? present(row) : null
    },

    async recordUse(uses) {
      const latest = new Map<string, Date>()
      for (const { keyId, at } of uses) {
        const known = latest.get(keyId)
        if (known === undefined || known < at) latest.set(keyId, at)
      }
      // In one order everywhere, so that two batches cannot wait for each other.
      const ordered = [...latest].sort(([left], [right]) => (left < right ? -1 : 1))
      await db.run(SYSTEM, async (tx) => {
        for (const [id, at] of ordered) {
          await tx
            .updateTable('api_keys')
            .set({ last_used_at: at })
            .where('id', '=', id)
            .where((row) => row.or([row('last_used_at', 'is', null), row('last_used_at', '<', at)]))
            .execute()
        }
      })
    },
  }
}

function inForce(tx: Transaction<IdentityTables>, at: Date) {
  return tx
    .selectFrom('api_keys')
    .selectAll()
    .where('revoked_at', 'is', null)
    .where((row) => row.or([row('expires_at', 'is', null), row('expires_at', '>', at)]))
}

async function nextRevision(tx: Transaction<IdentityTables>): Promise<string> {
  const { revision } = await tx
    .updateTable('api_key_revision')
    .set((row) => ({ revision: row('revision', '+', '1') }))
    .returning('revision')
    .executeTakeFirstOrThrow()
  return revision
}

async function announce(
  tx: Transaction<IdentityTables>,
  deps: ApiKeyDependencies,
  scope: Scope,
  type: string,
  row: ApiKeyRow,
): Promise<void> {
  await appendEvent(tx, deps, {
    type,
    version: 1,
    tenantId: row.tenant_id as Id<'tenant'>,
    actor: scope.actor,
    subject: row.id,
    causationId: null,
    correlationId: null,
    occurredAt: new Date(deps.clock.now()),
    payload: { prefix: row.prefix, projectId: row.project_id, scopes: row.scopes, revision: row.revision },
  })
}

function toSnapshot(row: ApiKeyRow): KeySnapshot['keys'][number] {
  return {
    id: row.id,
    prefix: row.prefix,
    hash: row.hash,
    tenantId: row.tenant_id,
    projectId: row.project_id,
    scopes: row.scopes,
    expiresAt: row.expires_at?.getTime() ?? null,
  }
}

function present(row: ApiKeyRow): ApiKeyRecord {
  return {
    id: row.id as Id<'key'>,
    tenantId: row.tenant_id as Id<'tenant'>,
    projectId: row.project_id as Id<'project'>,
    name: row.name,
    prefix: row.prefix,
    scopes: row.scopes,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  }
}
