import type { Clock, IdFactory, Scope } from '@medley/kernel'
import type { ScopedDatabase, Transaction } from '@medley/store'
import { sql } from 'kysely'
import { insertEvents } from './adapters/chip-store.ts'
import type { FleetTables } from './adapters/tables.ts'
import { readChips, readNodes, visibleTo } from './adapters/views-store.ts'
import type { OperatorsWord } from './clockwork.ts'
import { createClosedNodes, readWindows } from './closed-nodes.ts'
import { labelBreaches, placeBreaches, taintBreaches } from './domain/labels.ts'
import type { Coded } from './domain/state.ts'
import { fleetErrors } from './errors.ts'
import { FLEET } from './observe.ts'
import type { ChipView, CordonState, Fleet, MaintenanceWindow, NodeView, Place, Taint, Viewer } from './views.ts'

type Tx = Transaction<FleetTables>

type Said =
  | 'describe'
  | 'cordon'
  | 'uncordon'
  | 'draining'
  | 'planMaintenance'
  | 'maintenance'
  | 'cancelMaintenance'
  | 'release'
  | 'quarantine'
  | 'retire'
  | 'restore'

export interface OperatorsWordParts {
  readonly database: ScopedDatabase<FleetTables>
  readonly clock: Clock
  readonly ids: IdFactory
  readonly touched: () => void
  /** How old what is kept in memory may be; another process may have written since. */
  readonly refreshMs: number
}

/** Who sees what of nodes decides as well who may act on them; the permission itself is the caller's to check. */
function viewerOf(scope: Scope): Viewer {
  return scope.kind === 'system' ? { all: true } : { all: false, tenantId: scope.tenantId }
}

export function createOperatorsWord(parts: OperatorsWordParts): Pick<Fleet, Said> & OperatorsWord {
  const { database, clock, ids, touched } = parts
  const memory = createClosedNodes(parts)
  const now = () => new Date(clock.now())

  async function onNode(
    scope: Scope,
    nodeId: string,
    work: (tx: Tx, node: NodeView) => Promise<unknown>,
  ): Promise<NodeView> {
    const viewer = viewerOf(scope)
    const after = await database.run(FLEET, async (tx) => {
      await tx.selectFrom('nodes').select('id').where('id', '=', nodeId).forUpdate().execute()
      await work(tx, await nodeIn(tx, nodeId, viewer, now()))
      return await nodeIn(tx, nodeId, viewer, now())
    })
    memory.forget()
    touched()
    return after
  }

  async function onChip(
    scope: Scope,
    chipId: string,
    work: (tx: Tx, chip: ChipView) => Promise<unknown>,
  ): Promise<ChipView> {
    const viewer = viewerOf(scope)
    const after = await database.run(FLEET, async (tx) => {
      const { id } = await chipIn(tx, chipId, viewer, now())
      await tx.selectFrom('chips').select('id').where('id', '=', id).forUpdate().execute()
      await work(tx, await chipIn(tx, id, viewer, now()))
      return await chipIn(tx, id, viewer, now())
    })
    touched()
    return after
  }

  type Told = 'quarantined' | 'released' | 'retired' | 'restored'
  const tell = (tx: Tx, chip: ChipView, kind: Told, by: string, evidence: readonly Coded[]) =>
    insertEvents(
      tx,
      [
        {
          chipId: chip.id,
          nodeId: chip.nodeId,
          kind,
          atMs: clock.now(),
          agentAtMs: null,
          from: null,
          to: evidence[0]?.code ?? null,
          evidence,
          by,
        },
      ],
      () => ids.next('event'),
    )

  return {
    async describe(scope, nodeId, change) {
      refuseBreaches(change)
      return await onNode(scope, nodeId, async (tx) => {
        const set = {
          ...(change.labels ? { labels: JSON.stringify(change.labels) } : {}),
          ...(change.taints ? { taints: JSON.stringify(change.taints) } : {}),
          ...(change.place ? { rack: change.place.rack, spine: change.place.spine } : {}),
        }
        if (Object.keys(set).length > 0) await tx.updateTable('nodes').set(set).where('id', '=', nodeId).execute()
      })
    },

    cordon: (scope, nodeId, { reason, drain }) =>
      onNode(scope, nodeId, async (tx, { cordon }) => {
        const state: CordonState = drain ? 'draining' : 'cordoned'
        // Asked again: what is drained stays drained, and the first word on it stands.
        if (cordon?.state === state || (drain && cordon?.state === 'drained')) return
        await tx
          .updateTable('nodes')
          .set({ cordon_state: state, cordon_since: now(), cordon_by: scope.actor.id, cordon_reason: reason })
          .where('id', '=', nodeId)
          .execute()
      }),

    uncordon: (scope, nodeId) =>
      onNode(scope, nodeId, (tx) =>
        tx
          .updateTable('nodes')
          .set({ cordon_state: null, cordon_since: null, cordon_by: null, cordon_reason: null })
          .where('id', '=', nodeId)
          .execute(),
      ),

    draining: async () => [...(await memory.cordons()).keys()],
    drainingOnly: async () =>
      [...(await memory.cordons())].filter(([, state]) => state === 'draining').map(([nodeId]) => nodeId),

    async markDrained(nodeId) {
      const rows = await database.run(FLEET, (tx) =>
        tx
          .updateTable('nodes')
          .set({ cordon_state: 'drained', cordon_since: now() })
          .where('id', '=', nodeId)
          .where('cordon_state', '=', 'draining')
          .returning('id')
          .execute(),
      )
      memory.forget()
      return rows.length > 0
    },

    windowsTurned: () => memory.windowsTurned(),

    async planMaintenance(scope, nodeId, { startsAt, endsAt, reason }) {
      if (!(endsAt > startsAt)) throw fleetErrors['maintenance.window']({ rule: 'it ends before it begins' })
      if (endsAt.getTime() <= clock.now()) throw fleetErrors['maintenance.window']({ rule: 'it lies in the past' })
      const window: MaintenanceWindow = {
        id: ids.next('record'),
        nodeId,
        startsAt,
        endsAt,
        reason,
        createdBy: scope.actor.id,
      }
      await onNode(scope, nodeId, (tx) =>
        tx
          .insertInto('maintenance_windows')
          .values({
            id: window.id,
            node_id: nodeId,
            starts_at: startsAt,
            ends_at: endsAt,
            reason,
            created_by: window.createdBy,
            created_at: now(),
          })
          .execute(),
      )
      return window
    },

    maintenance: (viewer, nodeId) => database.run(FLEET, (tx) => readWindows(tx, viewer, now(), nodeId)),

    async cancelMaintenance(scope, windowId) {
      const gone = await database.run(FLEET, async (tx) => {
        const { rows } = await sql`
          delete from maintenance_windows w using nodes n
          where w.id = ${windowId} and n.id = w.node_id and ${visibleTo(viewerOf(scope))} returning w.id`.execute(tx)
        return rows.length
      })
      if (gone === 0) throw fleetErrors['maintenance.unknown']({ id: windowId })
      memory.forget()
      touched()
    },

    release: (scope, chipId, reason) =>
      onChip(scope, chipId, async (tx, chip) => {
        if (!chip.quarantine) throw fleetErrors['chip.not-quarantined']({ id: chipId })
        await tx
          .updateTable('chips')
          .set({ quarantined_at: null, quarantine_reason: null, quarantined_by: null, released_at: now() })
          .where('id', '=', chip.id)
          .execute()
        await tell(tx, chip, 'released', scope.actor.id, [byPerson(reason)])
      }),

    quarantine: (scope, chipId, reason) =>
      onChip(scope, chipId, async (tx, chip) => {
        if (chip.quarantine) return
        const said = byPerson(reason)
        await tx
          .updateTable('chips')
          .set({ quarantined_at: now(), quarantine_reason: JSON.stringify(said), quarantined_by: scope.actor.id })
          .where('id', '=', chip.id)
          .execute()
        await tell(tx, chip, 'quarantined', scope.actor.id, [said])
      }),

    retire: (scope, chipId, reason) =>
      onChip(scope, chipId, async (tx, chip) => {
        if (chip.retired) return
        // Gone, or not looked at by anybody: what a connected node reports is there.
        const looked = (await nodeIn(tx, chip.nodeId, viewerOf(scope), now())).state === 'connected'
        if (chip.state !== 'absent' && looked) throw fleetErrors['chip.present']({ id: chipId })
        const said = byPerson(reason)
        await tx
          .updateTable('chips')
          .set({ retired_at: now(), retired_reason: JSON.stringify(said), retired_by: scope.actor.id })
          .where('id', '=', chip.id)
          .execute()
        await tell(tx, chip, 'retired', scope.actor.id, [said])
      }),

    restore: (scope, chipId, reason) =>
      onChip(scope, chipId, async (tx, chip) => {
        if (!chip.retired) throw fleetErrors['chip.not-retired']({ id: chipId })
        await tx
          .updateTable('chips')
          .set({ retired_at: null, retired_reason: null, retired_by: null })
          .where('id', '=', chip.id)
          .execute()
        await tell(tx, chip, 'restored', scope.actor.id, [byPerson(reason)])
      }),
  }
}

const byPerson = (reason: string): Coded => ({ code: 'by-person', params: { reason } })

export async function nodeIn(tx: Tx, id: string, viewer: Viewer, now: Date): Promise<NodeView> {
  const [node] = await readNodes(tx, { viewer, now, id })
  if (!node) throw fleetErrors['node.unknown']({ id })
  return node
}

export async function chipIn(tx: Tx, id: string, viewer: Viewer, now: Date): Promise<ChipView> {
  const [chip] = await readChips(tx, { viewer, now, id, limit: 1 })
  if (!chip) throw fleetErrors['chip.unknown']({ id })
  return chip
}

function refuseBreaches(change: {
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: readonly Taint[]
  readonly place?: Place
}): void {
  const breaches = [
    ...labelBreaches(change.labels ?? {}).map((breach) => ({ ...breach, path: `labels.${breach.key}` })),
    ...taintBreaches(change.taints ?? []).map((breach) => ({ ...breach, path: `taints.${breach.key}` })),
  ]
  const [first] = breaches
  if (first)
    throw fleetErrors['labels.invalid'](
      { key: first.key, rule: first.rule },
      { errors: breaches.map(({ path, rule }) => ({ path, message: rule })) },
    )
  const [misplaced] = change.place ? placeBreaches(change.place) : []
  if (misplaced)
    throw fleetErrors['place.invalid'](
      { member: misplaced.key, value: misplaced.value, rule: misplaced.rule },
      { errors: [{ path: `place.${misplaced.key}`, message: misplaced.rule }] },
    )
}
