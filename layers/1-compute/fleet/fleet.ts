import { type Clock, type IdFactory, systemScope } from '@medley/kernel'
import type { Store, Transaction } from '@medley/store'
import { sql } from 'kysely'
import type { FleetTables } from './adapters/tables.ts'
import { fleetErrors } from './errors.ts'
import type { AgentReport, ChipFacts, NodeFacts } from './protocol.ts'

export interface NodeView {
  readonly id: string
  readonly facts: NodeFacts
  readonly bootId: string
  readonly firstSeenAt: Date
  readonly lastSeenAt: Date
}

export interface ChipView {
  readonly id: string
  readonly nodeId: string
  readonly nodeName: string
  readonly facts: ChipFacts
  readonly firstSeenAt: Date
  readonly lastSeenAt: Date
}

export interface Fleet {
  /**
   * Takes one agent's whole view of its node. A chip that was reported before and is missing now becomes `lost`.
   *
   * @returns `changed`: whether more than readings and times is new.
   */
  observe(report: AgentReport): Promise<{ nodeId: string; changed: boolean }>
  nodes(): Promise<readonly NodeView[]>
  chips(page: { after: string | null; limit: number }): Promise<readonly ChipView[]>
  /** @throws AppError `fleet.chip.unknown` */
  chip(id: string): Promise<ChipView>
}

export interface FleetPorts {
  readonly store: Store
  readonly clock: Clock
  readonly ids: IdFactory
}

const FLEET = systemScope('fleet')
const CHIP_COLUMNS = ['chips.id', 'chips.node_id', 'chips.facts', 'chips.first_seen_at', 'chips.last_seen_at'] as const

export function createFleet({ store, clock, ids }: FleetPorts): Fleet {
  const database = store.tables<FleetTables>()
  // Spares the pages, not the store: every report is written, for its readings and times are shown, but `changed`
  // only says that a chip is there, gone, or of another product, health or memory. After a restart each is new once.
  const known = new Map<string, string>()

  const toView = (row: {
    id: string
    node_id: string
    facts: ChipFacts
    node_facts: NodeFacts
    first_seen_at: Date
    last_seen_at: Date
  }): ChipView => ({
    id: row.id,
    nodeId: row.node_id,
    nodeName: row.node_facts.hostname,
    facts: row.facts,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
  })

  return {
    async observe(report) {
      const { nodeId, lost } = await database.run(FLEET, async (tx) => {
        const now = new Date(clock.now())
        const node = await tx
          .insertInto('nodes')
          .values({
            id: ids.next('node'),
            node_key: report.nodeKey,
            boot_id: report.bootId,
            facts: JSON.stringify(report.facts),
            last_seen_at: now,
          })
          .onConflict((conflict) =>
            conflict.column('node_key').doUpdateSet({
              boot_id: report.bootId,
              facts: JSON.stringify(report.facts),
              last_seen_at: now,
            }),
          )
          .returning('id')
          .executeTakeFirstOrThrow()
        for (const facts of report.chips) {
          await tx
            .insertInto('chips')
            .values({
              id: ids.next('chip'),
              node_id: node.id,
              uuid: facts.uuid,
              vendor: facts.vendor,
              health: facts.health,
              facts: JSON.stringify(facts),
              last_seen_at: now,
            })
            .onConflict((conflict) =>
              conflict.column('uuid').doUpdateSet({
                node_id: node.id,
                health: facts.health,
                facts: JSON.stringify(facts),
                last_seen_at: now,
              }),
            )
            .execute()
        }
        return { nodeId: node.id, lost: await markMissing(tx, node.id, report.chips) }
      })
      // After the commit: a transaction that is repeated must not find its own first attempt here.
      const fresh = report.chips.filter((facts) => known.get(facts.uuid) !== identityOf(facts))
      for (const facts of fresh) known.set(facts.uuid, identityOf(facts))
      for (const uuid of lost) known.delete(uuid)
      return { nodeId, changed: fresh.length > 0 || lost.length > 0 }
    },

    nodes: () =>
      database.run(FLEET, async (tx) => {
        const rows = await tx.selectFrom('nodes').selectAll().orderBy('id').execute()
        return rows.map((row) => ({
          id: row.id,
          // Rows of an agent older than this member have none.
          facts: { ...row.facts, engines: row.facts.engines ?? [] },
          bootId: row.boot_id,
          firstSeenAt: row.first_seen_at,
          lastSeenAt: row.last_seen_at,
        }))
      }),

    chips: ({ after, limit }) =>
      database.run(FLEET, async (tx) => {
        const rows = await tx
          .selectFrom('chips')
          .innerJoin('nodes', 'nodes.id', 'chips.node_id')
          .select([...CHIP_COLUMNS, 'nodes.facts as node_facts'])
          .where('chips.id', '>', after ?? '')
          .orderBy('chips.id')
          .limit(limit)
          .execute()
        return rows.map(toView)
      }),

    chip: (id) =>
      database.run(FLEET, async (tx) => {
        const row = await tx
          .selectFrom('chips')
          .innerJoin('nodes', 'nodes.id', 'chips.node_id')
          .select([...CHIP_COLUMNS, 'nodes.facts as node_facts'])
          .where('chips.id', '=', id)
          .executeTakeFirst()
        if (!row) throw fleetErrors['chip.unknown']({ id })
        return toView(row)
      }),
  }
}

function identityOf({ product, health, memoryTotalBytes }: ChipFacts): string {
  return `${product}|${health}|${memoryTotalBytes}`
}

async function markMissing(
  tx: Transaction<FleetTables>,
  nodeId: string,
  present: readonly ChipFacts[],
): Promise<readonly string[]> {
  let update = tx
    .updateTable('chips')
    .set({ health: 'lost', facts: sql`jsonb_set(facts, '{health}', '"lost"')` })
    .where('node_id', '=', nodeId)
    .where('health', '!=', 'lost')
  const uuids = present.map((chip) => chip.uuid)
  if (uuids.length > 0) update = update.where('uuid', 'not in', uuids)
  const lost = await update.returning('uuid').execute()
  return lost.map(({ uuid }) => uuid)
}
