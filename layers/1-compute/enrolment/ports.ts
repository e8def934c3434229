import type { TenantScope } from '@medley/kernel'
import type { JoinAnswer, JoinRequest } from './protocol.ts'

export interface JoinTokenView {
  readonly id: string
  readonly tenantId: string
  readonly note: string
  readonly createdBy: string
  readonly createdAt: Date
  readonly expiresAt: Date
  /** How many nodes may still join by it. One is the default; a batch of racks may ask for more. */
  readonly usesLeft: number
  readonly revokedAt: Date | null
  /** Nodes that joined by it are the tenant's own (`true`) or the centre's, for all. */
  readonly dedicated: boolean
  readonly simulated: boolean
}

/** What the fleet must offer to the enrolment, by the composition root. */
export interface NodeRegister {
  /** Makes the node or finds it by its key. @throws AppError `enrolment.node.foreign` where another tenant owns it */
  enrol(node: {
    readonly nodeKey: string
    readonly hostname: string
    readonly tenantId: string | null
    readonly simulated: boolean
    readonly agentVersion: string
  }): Promise<{ readonly nodeId: string; readonly isNew: boolean }>
}

export interface Enrolment {
  /** The token is shown once and kept as a hash. `ttlMs` at most a day, an hour by default; `uses` 1 to 2,000. */
  createToken(
    scope: TenantScope,
    wish: { note: string; ttlMs?: number; uses?: number; dedicated?: boolean; simulated?: boolean },
  ): Promise<{ readonly token: string; readonly view: JoinTokenView }>
  tokens(scope: TenantScope, page: { after: string | null; limit: number }): Promise<readonly JoinTokenView[]>
  /** @throws AppError `enrolment.token.unknown`, also for another tenant's */
  revokeToken(scope: TenantScope, tokenId: string): Promise<void>
  /**
   * Spends one use of the token and remembers the node's key. Every refusal is audited with the address it came from.
   *
   * @throws AppError `enrolment.token.refused` (unknown, spent, expired, revoked: the caller learns no more; the audit
   * does), `enrolment.node.foreign`, `enrolment.node.revoked`
   */
  join(token: string, request: JoinRequest, from: string | null): Promise<JoinAnswer>
  /** The factory's own node, on the word of the instance's internal token: the same key, without a join token. */
  joinOwn(request: JoinRequest): Promise<JoinAnswer>
  /** The public key a node must prove, `null` for unknown or revoked nodes. */
  keyOf(nodeId: string): Promise<{ readonly publicKey: string; readonly tenantId: string | null } | null>
  /**
   * The node's key is worthless from now on. Its connection is cut by whoever listens to {@link Enrolment.onRevoked}.
   *
   * The tenant's own nodes, and those of the centre only where the caller says that it has made sure of an operator of
   * the centre: a tenant's scope alone does not reach what serves all.
   *
   * @throws AppError `enrolment.node.unknown`
   */
  revokeNode(scope: TenantScope, nodeId: string, reason: string, by?: { readonly centre: boolean }): Promise<void>
  /**
   * Also told of revocations by another server process on the same store, within 2 s, and soon after the start of all
   * there have been: a listener finds nothing to do for those it has dealt with. @returns to stop listening
   */
  onRevoked(listener: (nodeId: string) => void): () => void
  /**
   * Told of nodes that joined again with another key, as {@link Enrolment.onRevoked} is of revocations: by all
   * processes, within 2 s. Which key is in force by now says {@link Enrolment.keyOf}. @returns to stop listening
   */
  onReplaced(listener: (nodeId: string) => void): () => void
  close(): void
}
