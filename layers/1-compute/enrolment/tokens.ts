import type { Audit } from '@medley/audit'
import { type Clock, type IdFactory, type RandomBytes, systemScope, type TenantScope } from '@medley/kernel'
import type { ScopedDatabase } from '@medley/store'
import { z } from 'zod'
import type { EnrolmentTables, JoinTokenRow } from './adapters/tables.ts'
import { errors } from './errors.ts'
import type { Enrolment, JoinTokenView } from './ports.ts'
import { hashToken, matchesHash, newTokenText, prefixOf } from './token-text.ts'

const HOUR_MS = 3_600_000
const SYSTEM = systemScope('enrolment')

const newJoinToken = z.object({
  note: z.string().trim().max(200),
  ttlMs: z
    .int()
    .min(60_000)
    .max(24 * HOUR_MS)
    .default(HOUR_MS),
  uses: z.int().min(1).max(2_000).default(1),
  dedicated: z.boolean().default(false),
  simulated: z.boolean().default(false),
})

/** Why a token is refused: for the audit, not for the caller. */
export type TokenFault = 'malformed' | 'unknown' | 'wrong-secret' | 'revoked' | 'expired' | 'spent'

export interface Found {
  /** Also of a token that is refused, so that its tenant can read about it. */
  readonly row: JoinTokenRow | null
  readonly fault: TokenFault | null
}

export interface JoinTokens extends Pick<Enrolment, 'createToken' | 'tokens' | 'revokeToken'> {
  find(token: string): Promise<Found>
  /** Takes one use, told in `audit` by the same transaction. @returns null where none is left or it is void by now */
  spend(tokenId: string, from: string | null): Promise<JoinTokenRow | null>
}

export interface TokenPorts {
  readonly database: ScopedDatabase<EnrolmentTables>
  readonly audit: Audit
  readonly ids: IdFactory
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  readonly pepper: string
}

export function createJoinTokens(ports: TokenPorts): JoinTokens {
  const { database, audit, ids, clock, randomBytes, pepper } = ports
  const now = (): Date => new Date(clock.now())

  return {
    async createToken(scope, wish) {
      const parsed = newJoinToken.safeParse(wish)
      if (!parsed.success) throw errors['token.invalid']()
      const { note, ttlMs, uses, dedicated, simulated } = parsed.data
      const { token, prefix } = newTokenText(randomBytes)
      const createdAt = now()
      const view = await database.run(scope, async (tx) => {
        const row = await tx
          .insertInto('join_tokens')
          .values({
            id: ids.next('jointoken'),
            tenant_id: scope.tenantId,
            prefix,
            hash: hashToken(pepper, token),
            note,
            created_by: scope.actor.id,
            created_at: createdAt,
            expires_at: new Date(createdAt.getTime() + ttlMs),
            uses_left: uses,
            revoked_at: null,
            dedicated,
            simulated,
          })
          .returningAll()
          .executeTakeFirstOrThrow()
        const detail = { note, uses, expiresAt: row.expires_at, dedicated, simulated }
        await audit.recordIn(tx, entryOf(scope, 'join-token.create', row.id, detail))
        return present(row)
      })
      return { token, view }
    },

    async tokens(scope, { after, limit }) {
      const rows = await database.run(scope, (tx) => {
        const own = tx
          .selectFrom('join_tokens')
          .selectAll()
          .where('tenant_id', '=', scope.tenantId)
          .orderBy('id', 'desc')
          .limit(Math.min(Math.max(Math.trunc(limit), 1), 1_000))
        return (after === null ? own : own.where('id', '<', after)).execute()
      })
      return rows.map(present)
    },

    async revokeToken(scope, tokenId) {
      const known = await database.run(scope, async (tx) => {
        const row = await tx
          .selectFrom('join_tokens')
          .selectAll()
          .where('id', '=', tokenId)
          .where('tenant_id', '=', scope.tenantId)
          .forUpdate()
          .executeTakeFirst()
        // Revoking twice keeps the first time.
        if (row === undefined || row.revoked_at !== null) return row !== undefined
        await tx.updateTable('join_tokens').set({ revoked_at: now() }).where('id', '=', tokenId).execute()
        await audit.recordIn(tx, entryOf(scope, 'join-token.revoke', tokenId, { usesLeft: row.uses_left }))
        return true
      })
      if (known) return
      const error = errors['token.unknown']({ id: tokenId })
      await audit.record({
        ...entryOf(scope, 'join-token.revoke', tokenId, {}),
        outcome: 'denied',
        code: error.code,
      })
      throw error
    },

    async find(token) {
      const prefix = prefixOf(token)
      if (prefix === null) return { row: null, fault: 'malformed' }
      const row = await database.run(SYSTEM, (tx) =>
        tx.selectFrom('join_tokens').selectAll().where('prefix', '=', prefix).executeTakeFirst(),
      )
      if (row === undefined) return { row: null, fault: 'unknown' }
      return { row, fault: matchesHash(pepper, token, row.hash) ? faultOf(row, now()) : 'wrong-secret' }
    },

    spend: (tokenId, from) =>
      database.run(SYSTEM, async (tx) => {
        // One statement: of any number of joins at the same moment, in any process, each use serves one.
        const row = await tx
          .updateTable('join_tokens')
          .set((token) => ({ uses_left: token('uses_left', '-', 1) }))
          .where('id', '=', tokenId)
          .where('uses_left', '>', 0)
          .where('expires_at', '>', now())
          .where('revoked_at', 'is', null)
          .returningAll()
          .executeTakeFirst()
        if (row === undefined) return null
        await audit.recordIn(tx, {
          tenantId: row.tenant_id,
          actor: { kind: 'anonymous', id: from ?? 'unknown' },
          action: 'join-token.use',
          subject: row.id,
          outcome: 'done',
          code: null,
          from,
          detail: { usesLeft: row.uses_left },
        })
        return row
      }),
  }
}

/** Revoked before expired before spent: what the operator did outweighs what came by itself. */
function faultOf(row: JoinTokenRow, at: Date): TokenFault | null {
  if (row.revoked_at !== null) return 'revoked'
  if (row.expires_at <= at) return 'expired'
  return row.uses_left > 0 ? null : 'spent'
}

function entryOf(scope: TenantScope, action: string, subject: string, detail: Record<string, unknown>) {
  const { tenantId, actor } = scope
  return { tenantId, actor, action, subject, outcome: 'done' as const, code: null, from: null, detail }
}

function present(row: JoinTokenRow): JoinTokenView {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    note: row.note,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    usesLeft: row.uses_left,
    revokedAt: row.revoked_at,
    dedicated: row.dedicated,
    simulated: row.simulated,
  }
}
