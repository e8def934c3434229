import { type Clock, type IdFactory, type Json, systemScope } from '@medley/kernel'
import type { Migrations, Store } from '@medley/store'
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
    },
  },
}

/** Long work that outlives a request and a restart of the server. */
export interface Operations {
  begin(kind: string, subject: string, spec: Json): Promise<OperationView>
  progress(id: string, progress: OperationProgress | null): Promise<void>
  finish(id: string, result: Json): Promise<void>
  fail(id: string, error: { code: string; params: Record<string, string> }): Promise<void>
  find(id: string): Promise<OperationView | null>
  running(kind: string, subject?: string): Promise<readonly OperationView[]>
}

const OPERATIONS = systemScope('operations')

export function createOperations(ports: { store: Store; clock: Clock; ids: IdFactory }): Operations {
  const database = ports.store.tables<OperationTables>()

  const update = (id: string, change: Partial<Record<'state' | 'progress' | 'error' | 'result', string>>) =>
    database.run(OPERATIONS, async (tx) => {
      await tx
        .updateTable('operations')
        .set({ ...(change as object), updated_at: new Date(ports.clock.now()) })
        .where('id', '=', id)
        .where('state', '=', 'running')
        .execute()
    })

  return {
    begin: (kind, subject, spec) =>
      database.run(OPERATIONS, async (tx) =>
        toView(
          await tx
            .insertInto('operations')
            .values({ id: ports.ids.next('op'), kind, subject, state: 'running', spec: JSON.stringify(spec) })
            .returningAll()
            .executeTakeFirstOrThrow(),
        ),
      ),
    progress: (id, progress) => update(id, { progress: JSON.stringify(progress) }),
    finish: (id, result) => update(id, { state: 'done', result: JSON.stringify(result) }),
    fail: (id, error) => update(id, { state: 'failed', error: JSON.stringify(error) }),
    find: (id) =>
      database.run(OPERATIONS, async (tx) => {
        const row = await tx.selectFrom('operations').selectAll().where('id', '=', id).executeTakeFirst()
        return row ? toView(row) : null
      }),
    running: (kind, subject) =>
      database.run(OPERATIONS, async (tx) => {
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
