import { type Clock, digestOf, type Id, type IdFactory } from '@medley/kernel'
import { type QueryExecutorProvider, sql } from 'kysely'
import type { NewEvent } from '../ports.ts'
import { OUTBOX_CHANNEL } from './schema.ts'

export interface AppendDependencies {
  readonly ids: IdFactory
  readonly clock: Clock
}

/**
 * Records a fact in the transaction that makes it true: both commit or neither does. Under a tenant scope the event
 * must be that tenant's; row-level security refuses any other.
 */
export async function appendEvent(
  tx: QueryExecutorProvider,
  { ids, clock }: AppendDependencies,
  event: NewEvent,
): Promise<Id<'event'>> {
  const id = ids.next('event')
  // The transaction's number must exist before the event's is drawn: consumers rely on that order. The notice is
  // delivered at commit, once per transaction however many events it carries.
  await sql`select pg_current_xact_id(), pg_notify(${OUTBOX_CHANNEL}, '')`.execute(tx)
  await sql`
    insert into outbox_events (id, type, version, tenant_id, actor, subject, causation_id, correlation_id,
      occurred_at, recorded_at, payload, payload_digest)
    values (${id}, ${event.type}, ${event.version}, ${event.tenantId}, ${JSON.stringify(event.actor)}::jsonb,
      ${event.subject}, ${event.causationId}, ${event.correlationId}, ${event.occurredAt}, ${new Date(clock.now())},
      ${JSON.stringify(event.payload)}::jsonb, ${digestOf(event.payload)})`.execute(tx)
  return id
}
