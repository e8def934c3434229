import { digestOfChip, digestOfNode, type Readings, readingsOf } from './chip-facts.ts'
import type { AgentReport } from './protocol.ts'
import type { NodeState } from './views.ts'

export interface KnownChip {
  readonly id: string
  readonly digest: string | null
}

/** What this process remembers of a node, so that a report without news costs no query. */
export interface KnownNode {
  state: NodeState
  digest: string | null
  /** By the uuid the agent uses. Absent chips are not among them, nor those of drivers that are not read yet. */
  chips: ReadonlyMap<string, KnownChip>
  /** Chips the node claims and another one holds: uuid to holder. */
  refused: ReadonlyMap<string, string>
  /** Changes the agent kept and the store has, as they came: sent again until an answer reaches the agent. */
  changes: string
  /** Drivers the agent has not read yet: without them that a chip is left out would be news. */
  unread: string
  /** When nobody may wait for them any longer; null where none is waited for, or that has been said. */
  unreadDueMs: number | null
}

/** What the drivers themselves allow a tool's first answer, and a poll's time beside it. */
const UNREAD_PATIENCE_MS = 90_000

/** Until when the drivers that this report calls unread are waited for; what was waited for before goes on. */
export function unreadDue(before: KnownNode | undefined, report: AgentReport, nowMs: number): number | null {
  const key = unreadKey(report)
  if (key === '') return null
  return before?.unread === key ? before.unreadDueMs : nowMs + UNREAD_PATIENCE_MS
}

export interface Heard {
  readonly atMs: number
  readonly clockSkewMs: number | null
}

/** The memory of one server process. After a restart it is empty and fills with one read per node. */
export interface KnownNodes {
  get(nodeId: string): KnownNode | undefined
  set(nodeId: string, node: KnownNode): void
  /** What follows must be read from the store. */
  forget(nodeId: string): void
  heard(nodeId: string): Heard | undefined
  hear(nodeId: string, atMs: number, clockSkewMs: number | null): void
  /** Nodes that were heard since the last call. */
  takeHeard(): readonly ({ readonly nodeId: string } & Heard)[]
  everyHeard(): Iterable<readonly [string, Heard]>
  /** Newest readings of a chip, by its id. */
  readings(chipId: string): Readings | undefined
  keepReadings(node: KnownNode, report: AgentReport): void
}

export function createKnownNodes(): KnownNodes {
  const nodes = new Map<string, KnownNode>()
  const heard = new Map<string, Heard>()
  const readings = new Map<string, Readings>()
  let fresh = new Set<string>()

  function drop(node: KnownNode | undefined, kept: KnownNode | null): void {
    const left = new Set(kept ? [...kept.chips.values()].map(({ id }) => id) : [])
    for (const { id } of node?.chips.values() ?? []) if (!left.has(id)) readings.delete(id)
  }

  return {
    get: (nodeId) => nodes.get(nodeId),
    set: (nodeId, node) => {
      drop(nodes.get(nodeId), node)
      nodes.set(nodeId, node)
    },
    forget: (nodeId) => {
      drop(nodes.get(nodeId), null)
      nodes.delete(nodeId)
    },
    heard: (nodeId) => heard.get(nodeId),
    hear: (nodeId, atMs, clockSkewMs) => {
      heard.set(nodeId, { atMs, clockSkewMs: clockSkewMs ?? heard.get(nodeId)?.clockSkewMs ?? null })
      fresh.add(nodeId)
    },
    takeHeard: () => {
      const taken = [...fresh].flatMap((nodeId) => {
        const last = heard.get(nodeId)
        return last ? [{ nodeId, ...last }] : []
      })
      fresh = new Set()
      return taken
    },
    everyHeard: () => heard.entries(),
    readings: (chipId) => readings.get(chipId),
    keepReadings: (node, report) => {
      for (const facts of report.chips) {
        const chip = node.chips.get(facts.uuid)
        if (chip) readings.set(chip.id, readingsOf(facts))
      }
    },
  }
}

export function changesKey({ changes = [], changesLostBeforeMs }: AgentReport): string {
  const lost = changesLostBeforeMs ?? null
  return changes.length === 0 && lost === null ? '' : JSON.stringify([lost, changes])
}

export function unreadKey({ unread }: Pick<AgentReport, 'unread'>): string {
  return unread?.toSorted().join(' ') ?? ''
}

/** Whether the report says nothing that is not known. `holds`: whether a refused chip's holder still has it. */
export function saysNothingNew(
  node: KnownNode,
  report: AgentReport,
  holds: (holderId: string, uuid: string) => boolean,
  nowMs: number,
): boolean {
  if (node.unreadDueMs !== null && nowMs >= node.unreadDueMs) return false
  if (node.state !== 'connected' || node.digest !== digestOfNode(report)) return false
  if (node.unread !== unreadKey(report)) return false
  const changes = changesKey(report)
  if (changes !== '' && changes !== node.changes) return false
  const seen = new Set<string>()
  for (const facts of report.chips) {
    if (seen.has(facts.uuid)) continue
    seen.add(facts.uuid)
    const holder = node.refused.get(facts.uuid)
    if (holder === undefined ? node.chips.get(facts.uuid)?.digest !== digestOfChip(facts) : !holds(holder, facts.uuid))
      return false
  }
  // All that were reported are known: as many are known as reported, or one is missing.
  return seen.size === node.chips.size + node.refused.size
}
