import type { Audit } from '@medley/audit'
import { AppError, type Clock, type IdFactory, type RandomBytes } from '@medley/kernel'
import type { Store } from '@medley/store'
import type { EnrolmentTables } from './adapters/tables.ts'
import { errors } from './errors.ts'
import { publicKeyFromRaw, rawPublicKey } from './handshake.ts'
import { watchKeyChanges } from './key-changes.ts'
import { type Candidate, createNodeKeys, refusalOf, told, unfit } from './node-keys.ts'
import type { Enrolment, NodeRegister } from './ports.ts'
import type { JoinAnswer, JoinRequest } from './protocol.ts'
import { createJoinTokens, type Found } from './tokens.ts'

export interface EnrolmentPorts {
  readonly store: Store
  readonly audit: Audit
  readonly nodes: NodeRegister
  readonly ids: IdFactory
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  /** Keys the hashes of join tokens. */
  readonly pepper: string
  /** Whom the nodes will talk to; `publicKey` is an Ed25519 key as PEM (SPKI). */
  readonly instance: { readonly id: string; readonly publicKey: string }
  /** How often the store is asked for keys that other processes revoked or replaced; 1 s when left out. */
  readonly pollMs?: number
  readonly log?: (message: string, error: unknown) => void
}

/** From the first listener on it watches for what other processes do to keys, until `close`. */
export function createEnrolment(ports: EnrolmentPorts): Enrolment {
  const { store, audit, nodes, clock, instance, pollMs = 1_000, log = () => undefined } = ports
  const database = store.tables<EnrolmentTables>()
  const tokens = createJoinTokens({ ...ports, database })
  const keys = createNodeKeys({ database, audit, clock })
  const changes = watchKeyChanges({ database, pollMs, log })
  const instanceKey = rawPublicKey(instance.publicKey)

  async function refuseToken({ row, fault }: Found, request: JoinRequest, from: string | null): Promise<never> {
    const error = errors['token.refused']()
    await audit.record({
      tenantId: row?.tenant_id ?? null,
      actor: { kind: 'anonymous', id: from ?? 'unknown' },
      action: 'join-token.use',
      subject: row?.id ?? null,
      outcome: 'denied',
      code: error.code,
      from,
      detail: { reason: fault, hostname: request.hostname, agentVersion: request.agentVersion },
    })
    throw error
  }

  async function refuseNode(candidate: Candidate, nodeId: string | null, error: unknown): Promise<never> {
    const expected = error instanceof AppError
    await audit.record({
      tenantId: candidate.enrolledBy,
      actor: { kind: 'anonymous', id: candidate.from ?? 'unknown' },
      action: 'node.join',
      subject: nodeId,
      outcome: expected ? 'denied' : 'failed',
      code: expected ? error.code : null,
      from: candidate.from,
      detail: told(candidate),
    })
    throw error
  }

  /** Refuses what can be refused without spending anything. @returns whose the node is, which its first join said */
  async function inspect(candidate: Candidate): Promise<Candidate> {
    const known = await keys.find(candidate.request.nodeKey)
    const why = unfit(known, candidate)
    if (why !== null) await refuseNode(candidate, known?.node_id ?? null, refusalOf(why))
    if (!isPublicKey(candidate.request.publicKey)) await refuseNode(candidate, null, errors['key.invalid']())
    return known === null ? candidate : { ...candidate, tenantId: known.tenant_id }
  }

  async function admit(candidate: Candidate): Promise<JoinAnswer> {
    const { request, tenantId, simulated } = candidate
    const { nodeKey, hostname, agentVersion } = request
    const node = await nodes
      .enrol({ nodeKey, hostname, tenantId, simulated, agentVersion })
      .catch((error: unknown) => refuseNode(candidate, null, error))
    const { why, renewal } = await keys.keep(candidate, node.nodeId)
    if (why !== null) await refuseNode(candidate, node.nodeId, refusalOf(why))
    if (renewal !== null) changes.announce('replaced', node.nodeId, renewal)
    return { nodeId: node.nodeId, instanceId: instance.id, instanceKey }
  }

  return {
    createToken: tokens.createToken,
    tokens: tokens.tokens,
    revokeToken: tokens.revokeToken,

    // Three transactions, in this order, because the register of nodes has its own: the use of the token is taken
    // first, the node is made or found, and its key is written last. A crash after the first costs one use; after the
    // second there is a node that nobody can connect as, which the next join of the same node finds again. In no
    // order of events is there a key, or even a node, for which no use was taken.
    async join(token, request, from) {
      const found = await tokens.find(token)
      if (found.row === null || found.fault !== null) return await refuseToken(found, request, from)
      const { id, tenant_id, dedicated, simulated } = found.row
      const candidate = await inspect({
        request,
        enrolledBy: tenant_id,
        tenantId: dedicated ? tenant_id : null,
        simulated: simulated || request.simulated,
        tokenId: id,
        from,
      })
      if ((await tokens.spend(id, from)) === null) {
        // Another join was quicker, or the token became void a moment ago: look again for the reason.
        const again = await tokens.find(token)
        return await refuseToken({ row: found.row, fault: again.fault ?? 'spent' }, request, from)
      }
      return await admit(candidate)
    },

    async joinOwn(request) {
      const { simulated } = request
      const own = { request, enrolledBy: null, tenantId: null, simulated, tokenId: null, from: null }
      return await admit(await inspect(own))
    },

    async keyOf(nodeId) {
      const row = await keys.inForce(nodeId)
      return row === null ? null : { publicKey: row.public_key, tenantId: row.tenant_id }
    },

    async revokeNode(scope, nodeId, reason, by = { centre: false }) {
      const revocation = await keys.revoke(scope, nodeId, reason, by)
      if (typeof revocation === 'number') changes.announce('revoked', nodeId, revocation)
      if (revocation !== null) return
      const error = errors['node.unknown']({ id: nodeId })
      await audit.record({
        tenantId: scope.tenantId,
        actor: scope.actor,
        action: 'node.revoke',
        subject: nodeId,
        outcome: 'denied',
        code: error.code,
        from: null,
        detail: { reason },
      })
      throw error
    },

    onRevoked: (listener) => changes.listen('revoked', listener),
    onReplaced: (listener) => changes.listen('replaced', listener),
    close: () => changes.close(),
  }
}

function isPublicKey(raw: string): boolean {
  try {
    return publicKeyFromRaw(raw).asymmetricKeyType === 'ed25519'
  } catch {
    return false
  }
}
