import type { Scope } from '@medley/kernel'
import type { QueryExecutorProvider } from 'kysely'

/** One thing somebody did or tried to do. Append-only: the store itself refuses to change or remove a row. */
export interface AuditEntry {
  readonly id: string
  readonly at: Date
  /** `null`: the factory's own business. */
  readonly tenantId: string | null
  readonly actor: { readonly kind: 'user' | 'key' | 'system' | 'node' | 'anonymous'; readonly id: string }
  /** `<noun>.<verb>`, such as `join-token.use`, `node.revoke`. */
  readonly action: string
  /** Id of what it was done to. */
  readonly subject: string | null
  readonly outcome: 'done' | 'denied' | 'failed'
  /** Error code where it was denied or failed. */
  readonly code: string | null
  /** Address the request came from, as far as the server saw it. */
  readonly from: string | null
  /** Before and after, or what was asked; never a secret. */
  readonly detail: Readonly<Record<string, unknown>>
}

export type NewAuditEntry = Omit<AuditEntry, 'id' | 'at'>

export interface Audit {
  /**
   * In a transaction of its own: also what was rolled back is told. Rejects when the store does: await it, so that an
   * act that could not be audited does not pass.
   */
  record(entry: NewAuditEntry): Promise<void>
  /**
   * In the transaction of the change it tells of: both are kept or neither. Under a tenant's scope the entry must be
   * that tenant's; row-level security refuses any other.
   */
  recordIn(tx: QueryExecutorProvider, entry: NewAuditEntry): Promise<void>
  /**
   * Newest first; a tenant sees its own entries, the system scope all, also those of no tenant. `after`: id of the
   * last entry of the page before. `from` is inclusive, `to` is not.
   *
   * @throws AppError `audit.cursor.invalid` where `after` names no entry that the scope sees
   */
  list(
    scope: Scope,
    page: {
      after: string | null
      limit: number
      action?: string
      subject?: string
      outcome?: AuditEntry['outcome']
      from?: Date
      to?: Date
    },
  ): Promise<readonly AuditEntry[]>
}
