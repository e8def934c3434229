import type { Clock, IdFactory } from '@medley/kernel'
import type { Store } from '@medley/store'
import { readEvents } from './adapters/events-store.ts'
import { findOrMakeNode } from './adapters/node-store.ts'
import type { FleetTables } from './adapters/tables.ts'
import { readCells, readChips, readNodes, readSummary } from './adapters/views-store.ts'
import { cardsOf } from './cards.ts'
import { createClockwork, forgetStates } from './clockwork.ts'
import type { QuarantinePolicy } from './domain/quarantine.ts'
import { fleetErrors } from './errors.ts'
import { createKnownNodes } from './known-nodes.ts'
import { createObserver, FLEET } from './observe.ts'
import { chipIn, createOperatorsWord, nodeIn } from './operators-word.ts'
import type { ChipView, Fleet, FleetCell, NodeEnrolment, NodeView, Viewer } from './views.ts'

/** Times and counts by which the fleet judges; all have defaults. */
export interface FleetPolicy {
  /** How often agents report and send samples, milliseconds; two of them without a word and a node is away. */
  readonly pollMs: number
  /** On top of two polls: a word may be late without being lost. */
  readonly allowanceMs: number
  /** How often the time a node was last heard is written. */
  readonly flushMs: number
  /** So many faults within so long and a chip is put in quarantine. */
  readonly quarantine: QuarantinePolicy
}

const DEFAULT_POLICY: FleetPolicy = {
  pollMs: 15_000,
  allowanceMs: 5_000,
  flushMs: 60_000,
  quarantine: { faults: 3, withinMs: 24 * 3_600_000 },
}

export interface FleetPorts {
  readonly store: Store
  readonly clock: Clock
  readonly ids: IdFactory
  readonly policy?: Partial<FleetPolicy>
  /** Whether anything still runs on a node that is being drained. Left out: nothing ever does. */
  readonly runsAnything?: (nodeId: string) => Promise<boolean>
}

/** The fleet as the composition root holds it: with what the enrolment may tell it. */
export interface OpenedFleet extends Fleet {
  /**
   * Makes the node, or finds it by its key.
   *
   * @throws AppError `fleet.node.foreign` where another tenant owns it, `fleet.node.revoked`, `fleet.node.other-kind`
   */
  enrol(node: NodeEnrolment): Promise<{ readonly nodeId: string; readonly isNew: boolean }>
  /** The node's key was revoked: it reports no more, and what it had is unknown. Repeating it changes nothing. */
  revoked(nodeId: string): Promise<void>
}

/**
 * The fleet on a store. One server process at a time turns nodes away: it is the one their connections end in.
 */
export function createFleet(ports: FleetPorts): OpenedFleet {
  const { store, clock, ids } = ports
  const policy = { ...DEFAULT_POLICY, ...ports.policy }
  const database = store.tables<FleetTables>()
  const known = createKnownNodes()
  const now = () => new Date(clock.now())
  let version = 0
  const touched = () => {
    version += 1
  }
  const { observe, inTurn, recall } = createObserver({
    database,
    clock,
    ids,
    known,
    quarantine: policy.quarantine,
    touched,
  })
  const { drainingOnly, markDrained, windowsTurned, ...operators } = createOperatorsWord({
    database,
    clock,
    ids,
    touched,
    refreshMs: policy.flushMs,
  })
  const clockwork = createClockwork({
    database,
    clock,
    ids,
    known,
    inTurn,
    recall,
    touched,
    standing: { drainingOnly, markDrained, windowsTurned },
    runsAnything: ports.runsAnything ?? (async () => false),
    awayAfterMs: 2 * policy.pollMs + policy.allowanceMs,
    flushMs: policy.flushMs,
  })

  const freshNode = (node: NodeView): NodeView => {
    const heard = known.heard(node.id)
    if (!heard || node.state === 'revoked') return node
    const lastSeenAt = heard.atMs > node.lastSeenAt.getTime() ? new Date(heard.atMs) : node.lastSeenAt
    return { ...node, lastSeenAt, clockSkewMs: heard.clockSkewMs ?? node.clockSkewMs }
  }
  const freshChip = (chip: ChipView): ChipView => {
    const readings = known.readings(chip.id)
    if (!readings || chip.state === 'absent') return chip
    const heardMs = known.heard(chip.nodeId)?.atMs ?? 0
    const lastSeenAt = heardMs > chip.lastSeenAt.getTime() ? new Date(heardMs) : chip.lastSeenAt
    return { ...chip, facts: { ...chip.facts, ...readings }, lastSeenAt }
  }

  async function enrol(node: NodeEnrolment): Promise<{ nodeId: string; isNew: boolean }> {
    const id = ids.next('node')
    const found = await database.run(FLEET, (tx) => findOrMakeNode(tx, id, node, now()))
    if (found.state === 'revoked') throw fleetErrors['node.revoked']({ id: found.id })
    if (found.tenantId !== node.tenantId) throw fleetErrors['node.foreign']()
    if (found.simulated !== node.simulated) throw fleetErrors['node.other-kind']()
    if (found.id === id) touched()
    return { nodeId: found.id, isNew: found.id === id }
  }

  async function revoked(nodeId: string): Promise<void> {
    await inTurn(nodeId, async () => {
      await database.run(FLEET, async (tx) => {
        const at = now()
        const row = await tx
          .updateTable('nodes')
          .set({ state: 'revoked', state_since: at, revoked_at: at })
          .where('id', '=', nodeId)
          .where('state', '!=', 'revoked')
          .returning('hostname')
          .executeTakeFirst()
        if (!row) return
        const evidence = [{ code: 'node-revoked', params: { node: row.hostname } }]
        await forgetStates(tx, [{ id: nodeId, sinceMs: at.getTime(), evidence }], () => ids.next('event'))
      })
      known.forget(nodeId)
    })
    touched()
  }

  return {
    ...operators,
    ...clockwork,
    observe,
    enrol,
    revoked,
    nodes: async (page) => {
      const nodes = await database.run(FLEET, (tx) => readNodes(tx, { ...page, now: now() }))
      return nodes.map(freshNode)
    },
    node: async (id, viewer) => freshNode(await database.run(FLEET, (tx) => nodeIn(tx, id, viewer, now()))),
    chips: async (page) => {
      const chips = await database.run(FLEET, (tx) => readChips(tx, { ...page, now: now() }))
      return chips.map(freshChip)
    },
    chip: async (id, viewer) => freshChip(await database.run(FLEET, (tx) => chipIn(tx, id, viewer, now()))),
    cards: async (nodeId, viewer) => {
      const chips = await database.run(FLEET, async (tx) => {
        await nodeIn(tx, nodeId, viewer, now())
        return await readChips(tx, { viewer, now: now(), filter: { nodeId } })
      })
      return cardsOf(chips.map(freshChip))
    },
    summary: (viewer) => database.run(FLEET, (tx) => readSummary(tx, viewer)),
    cells: createCellCache(
      (viewer) => database.run(FLEET, (tx) => readCells(tx, viewer)),
      () => `${version} ${Math.floor(clock.now() / policy.flushMs)}`,
    ),
    events: (page) => database.run(FLEET, (tx) => readEvents(tx, page)),
  }
}

/** Ten thousand cells are asked for again and again while nothing changes. `mark`: as long as it is the same. */
function createCellCache(
  read: (viewer: Viewer) => Promise<readonly FleetCell[]>,
  mark: () => string,
): (viewer: Viewer) => Promise<readonly FleetCell[]> {
  const kept = new Map<string, { readonly mark: string; readonly cells: Promise<readonly FleetCell[]> }>()
  return (viewer) => {
    const key = viewer.all ? '' : viewer.tenantId
    const found = kept.get(key)
    if (found?.mark === mark()) return found.cells
    // Of the present mark only: viewers that have gone leave nothing behind.
    for (const [old, entry] of kept) if (entry.mark !== mark()) kept.delete(old)
    const cells = read(viewer)
    kept.set(key, { mark: mark(), cells })
    cells.catch(() => kept.delete(key))
    return cells
  }
}
