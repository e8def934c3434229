import { systemScope } from '@medley/kernel'
import type { Migrations, Store } from '@medley/store'
import type { Generated } from 'kysely'

interface OwnNodeTables {
  own_nodes: { node_id: string; joined_at: Generated<Date> }
}

export const ownNodeMigrations: Migrations = {
  '20261123-62-own-nodes': {
    async up(db) {
      await db.schema
        .createTable('own_nodes')
        .addColumn('node_id', 'text', (column) => column.primaryKey())
        .addColumn('joined_at', 'timestamptz', (column) => column.notNull().defaultTo(db.fn('now')))
        .execute()
    },
  },
}

/**
 * Nodes whose agent is a process of this factory: they share its files, so a model that was fetched here is there.
 */
export interface OwnNodes {
  readonly ids: readonly string[]
  add(nodeId: string): Promise<void>
}

export async function openOwnNodes(store: Store): Promise<OwnNodes> {
  const database = store.tables<OwnNodeTables>()
  const scope = systemScope('own-nodes')
  const known = new Set(
    await database.run(scope, async (tx) => {
      const rows = await tx.selectFrom('own_nodes').select('node_id').orderBy('joined_at').execute()
      return rows.map((row) => row.node_id)
    }),
  )
  return {
    get ids() {
      return [...known]
    },
    async add(nodeId) {
      if (known.has(nodeId)) return
      await database.run(scope, async (tx) => {
        const insert = tx.insertInto('own_nodes').values({ node_id: nodeId })
        await insert.onConflict((conflict) => conflict.column('node_id').doNothing()).execute()
      })
      known.add(nodeId)
    },
  }
}
