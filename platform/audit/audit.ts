import { type Clock, type IdFactory, type Scope, systemScope } from '@medley/kernel'
import type { Store, Transaction } from '@medley/store'
import { type QueryExecutorProvider, type Selectable, sql } from 'kysely'
import { redact, safeText } from './domain/redact.ts'
import { errors } from './errors.ts'
import type { Audit, AuditEntry, NewAuditEntry } from './ports.ts'
import type { AuditTables } from './tables.ts'

export interface AuditPorts {
  readonly store: Store
  readonly ids: IdFactory
  readonly clock: Clock
  /** Told of each entry of {@link Audit.record} once it is on disk; of `recordIn` the caller knows the commit. */
  readonly onRecorded?: (tenantId: string | null) => void
}

type Page = Parameters<Audit['list']>[1]

const SYSTEM = systemScope('audit')

export function createAudit(ports: AuditPorts): Audit {
  const { store, onRecorded } = ports
  const database = store.tables<AuditTables>()
  return {
    async record(entry) {
      await database.run(SYSTEM, (tx) => insert(tx, ports, entry))
      onRecorded?.(entry.tenantId)
    },
    recordIn: (tx, entry) => insert(tx, ports, entry),
    list: (scope, page) => database.run(scope, (tx) => listPage(tx, scope, page)),
  }
}

async function insert(tx: QueryExecutorProvider, { ids, clock }: AuditPorts, entry: NewAuditEntry): Promise<void> {
  const text = (value: string | null): string | null => (value === null ? null : safeText(value))
  await sql`
    insert into audit_entries
      (id, at, tenant_id, actor_kind, actor_id, action, subject, outcome, code, source, detail)
    values (${ids.next('audit')}, ${new Date(clock.now())}, ${entry.tenantId}, ${entry.actor.kind},
      ${safeText(entry.actor.id)}, ${entry.action}, ${text(entry.subject)}, ${entry.outcome}, ${entry.code},
      ${text(entry.from)}, ${JSON.stringify(redact(entry.detail))}::jsonb)`.execute(tx)
}

async function listPage(tx: Transaction<AuditTables>, scope: Scope, page: Page): Promise<readonly AuditEntry[]> {
  let select = tx.selectFrom('audit_entries').selectAll()
  // Says to the planner what the policy says to the executor: without it the index on the tenant is not used.
  if (scope.kind === 'tenant') select = select.where('tenant_id', '=', scope.tenantId)
  if (page.action !== undefined) select = select.where('action', '=', page.action)
  if (page.subject !== undefined) select = select.where('subject', '=', page.subject)
  if (page.outcome !== undefined) select = select.where('outcome', '=', page.outcome)
  if (page.from !== undefined) select = select.where('at', '>=', page.from)
  if (page.to !== undefined) select = select.where('at', '<', page.to)
  if (page.after !== null) {
    const last = await tx.selectFrom('audit_entries').select('at').where('id', '=', page.after).executeTakeFirst()
    if (last === undefined) throw errors['cursor.invalid']()
    select = select.where(sql<boolean>`(at, id) < (${last.at}::timestamptz, ${page.after})`)
  }
  const rows = await select
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(Math.min(Math.max(Math.trunc(page.limit), 1), 1_000))
    .execute()
  return rows.map(fromRow)
}

function fromRow(row: Selectable<AuditTables['audit_entries']>): AuditEntry {
  return {
    id: row.id,
    at: row.at,
    tenantId: row.tenant_id,
    actor: { kind: row.actor_kind, id: row.actor_id },
    action: row.action,
    subject: row.subject,
    outcome: row.outcome,
    code: row.code,
    from: row.source,
    detail: row.detail,
  }
}
