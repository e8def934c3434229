import { type Clock, type IdFactory, type Json, type Scope, systemScope, type TenantScope } from '@medley/kernel'
import { enableTenantIsolation, type Migrations, type Store } from '@medley/store'
import type { ColumnType, Generated } from 'kysely'

type JsonColumn<Value> = ColumnType<Value, string, string>
type OptionalJsonColumn<Value> = ColumnType<Value, string | undefined, string>

export interface OperationProgress {
  step: string
  done: number
  total: number | null
  unit: string
}

interface OperationTables {
  operations: {
    id: string
    tenant_id: string
    project_id: string | null
    kind: string
    subject: string
    state: 'running' | 'done' | 'failed'
    spec: JsonColumn<Json>
    progress: OptionalJsonColumn<OperationProgress | null>
    error: OptionalJsonColumn<{ code: string; params: Record<string, string> } | null>
    result: OptionalJsonColumn<Json>
    created_at: Generated<Date>
    updated_at: Generated<Date>
  }
}

export interface OperationView {
  readonly id: string
  readonly kind: string
  readonly subject: string
  readonly state: 'running' | 'done' | 'failed'
  readonly spec: Json
  readonly progress: OperationProgress | null
  readonly error: { readonly code: string; readonly params: Record<string, string> } | null
  readonly result: Json
  readonly createdAt: Date
}

export const operationMigrations: Migrations = {
  '20261123-60-operations': {
    async up(db) {
      await db.schema
        .createTable('operations')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('tenant_id', 'text', (column) => column.notNull())
        .addColumn('project_id', 'text')
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('subject', 'text', (column) => column.notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('spec', 'jsonb', (column) => column.notNull())
        .addColumn('progress', 'jsonb')
        .addColumn('error', 'jsonb')
        .addColumn('result', 'jsonb')
        .addColumn('created_at', 'timestamptz', (column) => column.notNull().defaultTo(db.fn('now')))
        .addColumn('updated_at', 'timestamptz', (column) => column.notNull().defaultTo(db.fn('now')))
        .execute()
      await enableTenantIsolation(db, 'operations')
    },
  },
}

/** Long work that outlives a request and a restart of the server, as one scope sees it. */
export interface OperationsSeen {
  progress(id: string, progress: OperationProgress | null): Promise<void>
  finish(id: string, result: Json): Promise<void>
  fail(id: string, error: { code: string; params: Record<string, string> }): Promise<void>
  find(id: string): Promise<OperationView | null>
  running(kind: string, subject?: string): Promise<readonly OperationView[]>
}

/** The operations of a tenant, who alone begins and finds them. */
export interface Operations extends OperationsSeen {
  begin(kind: string, subject: string, spec: Json): Promise<OperationView>
}

export interface OperationBook {
  of(scope: TenantScope): Operations
  /** All tenants': for what comes from agents, which know operations by id only. */
  readonly all: OperationsSeen
}

export function createOperations(ports: { store: Store; clock: Clock; ids: IdFactory }): OperationBook {
  return {
    all: operationsSeen(ports, systemScope('operations')),
    of: (scope) => ({
      ...operationsSeen(ports, scope),
      begin: (kind, subject, spec) =>
        ports.store.tables<OperationTables>().run(scope, async (tx) =>
          toView(
            await tx
              .insertInto('operations')
              .values({
                id: ports.ids.next('op'),
                tenant_id: scope.tenantId,
                project_id: scope.projectId,
                kind,
                subject,
                state: 'running',
                spec: JSON.stringify(spec),
              })
              .returningAll()
              .executeTakeFirstOrThrow(),
          ),
        ),
    }),
  }
}

function operationsSeen(ports: { store: Store; clock: Clock }, scope: Scope): OperationsSeen {
  const database = ports.store.tables<OperationTables>()

  const update = (id: string, change: Partial<Record<'state' | 'progress' | 'error' | 'result', string>>) =>
    database.run(scope, async (tx) => {
      await tx
        .updateTable('operations')
        .set({ ...(change as object), updated_at: new Date(ports.clock.now()) })
        .where('id', '=', id)
        .where('state', '=', 'running')
        .execute()
    })

  return {
    progress: (id, progress) => update(id, { progress: JSON.stringify(progress) }),
    finish: (id, result) => update(id, { state: 'done', result: JSON.stringify(result) }),
    fail: (id, error) => update(id, { state: 'failed', error: JSON.stringify(error) }),
    find: (id) =>
      database.run(scope, async (tx) => {
        const row = await tx.selectFrom('operations').selectAll().where('id', '=', id).executeTakeFirst()
        return row ? toView(row) : null
      }),
    running: (kind, subject) =>
      database.run(scope, async (tx) => {
        let query = tx.selectFrom('operations').selectAll().where('kind', '=', kind).where('state', '=', 'running')
        if (subject !== undefined) query = query.where('subject', '=', subject)
        return (await query.orderBy('id').execute()).map(toView)
      }),
  }
}

function toView(row: {
  id: string
  kind: string
  subject: string
  state: 'running' | 'done' | 'failed'
  spec: Json
  progress: OperationProgress | null
  error: { code: string; params: Record<string, string> } | null
  result: Json
  created_at: Date
}): OperationView {
  return {
    id: row.id,
    kind: row.kind,
    subject: row.subject,
    state: row.state,
    spec: row.spec,
    progress: row.progress,
    error: row.error,
    result: row.result,
    createdAt: row.created_at,
  }
}
