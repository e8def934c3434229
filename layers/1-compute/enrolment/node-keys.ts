import { createHash } from 'node:crypto'
import type { Audit } from '@medley/audit'
import { type Clock, systemScope, type TenantScope } from '@medley/kernel'
import type { ScopedDatabase, Transaction } from '@medley/store'
import type { EnrolmentTables, NodeKeyRow } from './adapters/tables.ts'
import { errors } from './errors.ts'
import type { JoinRequest } from './protocol.ts'

/** A node that wants in, and on whose word. */
export interface Candidate {
  readonly request: JoinRequest
  /** Tenant whose token was shown; null: the factory's own node. */
  readonly enrolledBy: string | null
  /** Whose node it will be; null: the centre's, for all. */
  readonly tenantId: string | null
  readonly simulated: boolean
  readonly tokenId: string | null
  readonly from: string | null
}

export type Unfit = 'node.foreign' | 'node.revoked' | 'node.kind'

export interface Kept {
  /** Why the key was not taken; null: it was. */
  readonly why: Unfit | null
  /** Number of the change where another key of the node was in force before. */
  readonly renewal: number | null
}

export interface NodeKeys {
  /** What is known of the node by its own key. */
  find(nodeKey: string): Promise<NodeKeyRow | null>
  /** Makes the key the node's only one, told in the audit by the same transaction. */
  keep(candidate: Candidate, nodeId: string): Promise<Kept>
  /** The row of a node that is not revoked. */
  inForce(nodeId: string): Promise<NodeKeyRow | null>
  /** @returns the number of the revocation; `known` where the node was revoked before; null for a node out of sight */
  revoke(
    scope: TenantScope,
    nodeId: string,
    reason: string,
    by: { readonly centre: boolean },
  ): Promise<number | 'known' | null>
}

const SYSTEM = systemScope('enrolment')

export function createNodeKeys(ports: {
  readonly database: ScopedDatabase<EnrolmentTables>
  readonly audit: Audit
  readonly clock: Clock
}): NodeKeys {
  const { database, audit, clock } = ports
  const now = (): Date => new Date(clock.now())

  return {
    find: (nodeKey) => database.run(SYSTEM, (tx) => byNodeKey(tx, nodeKey)),

    keep: (candidate, nodeId) =>
      database.run(SYSTEM, async (tx) => {
        const { request, enrolledBy } = candidate
        const before = await byNodeKey(tx, request.nodeKey, 'locked')
        const kept = await tx
          .insertInto('node_keys')
          .values({
            node_key: request.nodeKey,
            node_id: nodeId,
            public_key: request.publicKey,
            tenant_id: candidate.tenantId,
            enrolled_by: enrolledBy,
            simulated: candidate.simulated,
            created_at: now(),
          })
          .onConflict((conflict) =>
            conflict
              .column('node_key')
              .doUpdateSet({ node_id: nodeId, public_key: request.publicKey, renewed_at: now() })
              // Looked at before the token was spent, and again here: it may have been revoked in between.
              .where('node_keys.revoked_at', 'is', null)
              .whereRef('node_keys.enrolled_by', 'is not distinct from', 'excluded.enrolled_by')
              .whereRef('node_keys.simulated', '=', 'excluded.simulated'),
          )
          .returning('renewed_at')
          .executeTakeFirst()
        if (kept === undefined) {
          return { why: unfit(await byNodeKey(tx, request.nodeKey), candidate) ?? 'node.revoked', renewal: null }
        }
        // Renewed without a row before: another join of the same node was written between the two statements.
        const renewed = before !== null || kept.renewed_at !== null
        const replaced = renewed && before?.public_key !== request.publicKey
        const renewal = replaced ? await nextChange(tx) : null
        if (renewal !== null) {
          await tx.updateTable('node_keys').set({ renewal }).where('node_key', '=', request.nodeKey).execute()
        }
        await audit.recordIn(tx, {
          tenantId: enrolledBy,
          actor: enrolledBy === null ? SYSTEM.actor : { kind: 'node', id: nodeId },
          action: 'node.join',
          subject: nodeId,
          outcome: 'done',
          code: null,
          from: candidate.from,
          detail: { ...told(candidate), renewed },
        })
        return { why: null, renewal: renewal === null ? null : Number(renewal) }
      }),

    inForce: (nodeId) =>
      database.run(SYSTEM, async (tx) => {
        const row = await tx
          .selectFrom('node_keys')
          .selectAll()
          .where('node_id', '=', nodeId)
          .where('revoked_at', 'is', null)
          .executeTakeFirst()
        return row ?? null
      }),

    // Under the system's scope: the centre's nodes are no tenant's, and yet its operator must be able to revoke them.
    revoke: (scope, nodeId, reason, { centre }) =>
      database.run(SYSTEM, async (tx) => {
        const row = await tx
          .selectFrom('node_keys')
          .selectAll()
          .where('node_id', '=', nodeId)
          .where((node) => {
            const own = node('tenant_id', '=', scope.tenantId)
            return centre ? node.or([own, node('tenant_id', 'is', null)]) : own
          })
          .forUpdate()
          .executeTakeFirst()
        if (row === undefined) return null
        if (row.revoked_at !== null) return 'known'
        const revocation = await nextChange(tx)
        await tx
          .updateTable('node_keys')
          .set({ revoked_at: now(), revoked_by: scope.actor.id, reason, revocation })
          .where('node_id', '=', nodeId)
          .execute()
        await audit.recordIn(tx, {
          tenantId: scope.tenantId,
          actor: scope.actor,
          action: 'node.revoke',
          subject: nodeId,
          outcome: 'done',
          code: null,
          from: null,
          detail: { reason },
        })
        return Number(revocation)
      }),
  }
}

/** Foreign before revoked: who has no business with the node does not learn how it is. */
export function unfit(known: NodeKeyRow | null, candidate: Candidate): Unfit | null {
  if (known === null) return null
  if (known.enrolled_by !== candidate.enrolledBy) return 'node.foreign'
  if (known.revoked_at !== null) return 'node.revoked'
  return known.simulated === candidate.simulated ? null : 'node.kind'
}

/** What the audit says of a candidate. The key by its fingerprint: SHA-256 of the raw bytes, the first 16 digits. */
export function told({ request, simulated, tokenId }: Candidate): Record<string, unknown> {
  const keyFingerprint = createHash('sha256').update(request.publicKey, 'base64url').digest('hex').slice(0, 16)
  return { hostname: request.hostname, agentVersion: request.agentVersion, simulated, keyFingerprint, tokenId }
}

export function refusalOf(why: Unfit) {
  return errors[why]()
}

async function byNodeKey(
  tx: Transaction<EnrolmentTables>,
  nodeKey: string,
  lock?: 'locked',
): Promise<NodeKeyRow | null> {
  const one = tx.selectFrom('node_keys').selectAll().where('node_key', '=', nodeKey)
  return (await (lock ? one.forUpdate() : one).executeTakeFirst()) ?? null
}

/** After the node's own row: both changes lock in this order, and the number until they commit. */
async function nextChange(tx: Transaction<EnrolmentTables>): Promise<string> {
  const { latest } = await tx
    .updateTable('node_revocations')
    .set((counter) => ({ latest: counter('latest', '+', '1') }))
    .returning('latest')
    .executeTakeFirstOrThrow()
  return latest
}
