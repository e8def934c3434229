import type { Clock, Id, IdFactory, Json, Scope, SystemScope } from '@medley/kernel'
import { appendEvent, type ScopedDatabase, type Transaction } from '@medley/store'
import { errors } from './errors.ts'

/** Tables are written in SQL throughout: sets of rows and exact numbers say more there. */
// biome-ignore lint/complexity/noBannedTypes: no table is visible to the query builder
export type Tables = {}
export type Tx = Transaction<Tables>

/** What every piece of the module works with. */
export interface Parts {
  readonly database: ScopedDatabase<Tables>
  readonly clock: Clock
  readonly ids: IdFactory
  /** The module's own: it writes for all tenants, after it has looked whose it is. */
  readonly system: SystemScope
}

/** Another tenant's is not there. @throws AppError `money.wallet.unknown` */
export function requireOwn(scope: Scope, tenantId: string): void {
  if (scope.kind === 'tenant' && scope.tenantId !== tenantId) throw errors['wallet.unknown']()
}

export function now(parts: Parts): Date {
  return new Date(parts.clock.now())
}

export async function tell(
  tx: Tx,
  parts: Parts,
  event: { type: string; tenantId: string; subject: string; payload: Json },
): Promise<void> {
  await appendEvent(tx, parts, {
    ...event,
    version: 1,
    tenantId: event.tenantId as Id<'tenant'>,
    actor: parts.system.actor,
    causationId: null,
    correlationId: null,
    occurredAt: now(parts),
  })
}
