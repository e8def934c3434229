import { type Clock, type IdFactory, systemScope } from '@medley/kernel'
import type { ScopedDatabase, Transaction } from '@medley/store'
import {
  awaitChips,
  type ChipWrite,
  insertChips,
  insertEvents,
  keepClaims,
  lockChips,
  readHistories,
  updateChips,
} from './adapters/chip-store.ts'
import { lockNode, type NodeRow, readStanding } from './adapters/node-store.ts'
import type { FleetTables } from './adapters/tables.ts'
import { digestOfChip, digestOfNode } from './chip-facts.ts'
import type { QuarantinePolicy } from './domain/quarantine.ts'
import { fleetErrors } from './errors.ts'
import {
  changesKey,
  type KnownChip,
  type KnownNode,
  type KnownNodes,
  saysNothingNew,
  unreadDue,
  unreadKey,
} from './known-nodes.ts'
import {
  entriesOf,
  type Judged,
  judge,
  lostOf,
  type Matching,
  matchChips,
  type PlannedEvent,
  type ReportingNode,
  type StoredChip,
  sameOwner,
  toAwait,
  toDoubt,
  type Verdict,
  wantsHistory,
} from './observation.ts'
import type { AgentReport } from './protocol.ts'
import type { Fleet } from './views.ts'

export const FLEET = systemScope('fleet')

type Tx = Transaction<FleetTables>

export interface ObserveParts {
  readonly database: ScopedDatabase<FleetTables>
  readonly clock: Clock
  readonly ids: IdFactory
  readonly known: KnownNodes
  readonly quarantine: QuarantinePolicy
  /** Something that readers see is new. */
  readonly touched: () => void
}

/** Another node inserted one of the same chips at the same moment: what is theirs shows at the next look. */
class Overtaken extends Error {}

const ATTEMPTS = 4

export function createObserver(parts: ObserveParts): Pick<Fleet, 'observe'> & {
  /** Work on one node, one after the other: a report and a connection of the same node never cross. */
  readonly inTurn: <Result>(nodeId: string, work: () => Promise<Result>) => Promise<Result>
  /** What is known of a node, read from the store where this process has forgotten it. Only in the node's turn. */
  readonly recall: (nodeId: string) => Promise<KnownNode | null>
} {
  const { database, clock, known } = parts
  const turns = new Map<string, Promise<unknown>>()

  function inTurn<Result>(nodeId: string, work: () => Promise<Result>): Promise<Result> {
    const mine = (turns.get(nodeId) ?? Promise.resolve()).then(work, work)
    turns.set(nodeId, mine)
    const done = () => {
      if (turns.get(nodeId) === mine) turns.delete(nodeId)
    }
    mine.then(done, done)
    return mine
  }

  const holds = (holderId: string, uuid: string): boolean => {
    const holder = known.get(holderId)
    return holder?.state === 'connected' && holder.chips.has(uuid)
  }

  async function take(nodeId: string, report: AgentReport, clockSkewMs: number | null): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { node, changed } = await database.run(FLEET, (tx) => observeIn(tx, parts, nodeId, report, clockSkewMs))
        known.set(nodeId, node)
        known.keepReadings(node, report)
        // Nothing in the node's history is later than its last word.
        known.hear(nodeId, clock.now(), clockSkewMs)
        return changed
      } catch (error) {
        if (!(error instanceof Overtaken) || attempt >= ATTEMPTS) throw error
      }
    }
  }

  async function recall(nodeId: string): Promise<KnownNode | null> {
    const remembered = known.get(nodeId)
    if (remembered) return remembered
    const standing = await database.run(FLEET, (tx) => readStanding(tx, nodeId))
    if (!standing) return null
    const { node, chips } = standing
    const read: KnownNode = {
      state: node.state,
      digest: node.digest,
      chips: new Map(chips.map(({ id, uuid, digest }) => [uuid, { id, digest }])),
      refused: new Map(),
      changes: '',
      unread: '',
      unreadDueMs: null,
    }
    known.set(nodeId, read)
    return read
  }

  return {
    inTurn,
    recall,
    async observe(nodeId, report, clockSkewMs) {
      known.hear(nodeId, clock.now(), clockSkewMs)
      const skewMs = known.heard(nodeId)?.clockSkewMs ?? null
      const quick = known.get(nodeId)
      if (quick && saysNothingNew(quick, report, holds, clock.now())) {
        known.keepReadings(quick, report)
        return { changed: false }
      }
      return await inTurn(nodeId, async () => {
        const node = await recall(nodeId)
        if (node && saysNothingNew(node, report, holds, clock.now())) {
          known.keepReadings(node, report)
          return { changed: false }
        }
        const changed = await take(nodeId, report, skewMs)
        if (changed) parts.touched()
        return { changed }
      })
    },
  }
}

async function observeIn(
  tx: Tx,
  parts: ObserveParts,
  nodeId: string,
  report: AgentReport,
  clockSkewMs: number | null,
): Promise<{ node: KnownNode; changed: boolean }> {
  const nowMs = parts.clock.now()
  const before = await lockNode(tx, nodeId)
  if (!before) throw fleetErrors['node.unknown']({ id: nodeId })
  if (before.state === 'revoked') throw fleetErrors['node.revoked']({ id: nodeId })
  const node: ReportingNode = {
    id: nodeId,
    tenantId: before.tenantId,
    simulated: before.simulated,
    hostname: report.facts.hostname,
    sameBoot: before.bootId === report.bootId,
  }
  const uuids = report.chips.map(({ uuid }) => uuid)
  const matching = matchChips(node, report, await lockChips(tx, nodeId, uuids))
  const dueMs = unreadDue(parts.known.get(nodeId), report, nowMs)
  const overdue = dueMs !== null && nowMs >= dueMs
  const judged = await judgeAll(tx, parts, { node, matching, report, clockSkewMs, nowMs, overdue })
  const renamed = before.hostname !== report.facts.hostname
  const due = judged.filter(({ input, verdict }) => renamed || hasNews(input, verdict))
  const writes = due.map(({ input, verdict }): ChipWrite & { readonly verdict: Verdict } => ({
    verdict,
    nodeId,
    hostname: node.hostname,
    simulated: before.simulated || input.facts?.simulated === true,
    nowMs,
  }))
  const fresh = writes.filter(({ verdict }) => verdict.isNew)
  if ((await insertChips(tx, fresh)).size < fresh.length) throw new Overtaken()
  await updateChips(
    tx,
    writes.filter(({ verdict }) => !verdict.isNew),
  )
  const awaited = toAwait(matching)
  await awaitChips(
    tx,
    awaited.map(({ id }) => id),
  )
  const claims = claimsOf(node, matching, nowMs)
  await keepClaims(tx, nodeId, {
    claimed: [...new Set(claims.map(({ chipId }) => chipId))],
    withdrawn: matching.withdrawn.map(({ id }) => id),
    moved: matching.present.flatMap(({ stored }) => (stored && stored.nodeId !== nodeId ? [stored.id] : [])),
  })
  const events = [...writes.flatMap(({ verdict }) => verdict.events), ...claims]
  await insertEvents(tx, events, () => parts.ids.next('event'))
  const wrote = await writeNode(tx, before, report, clockSkewMs, nowMs)
  return {
    node: {
      state: 'connected',
      digest: digestOfNode(report),
      chips: chipsAfter(matching, judged),
      refused: new Map(matching.refused.map(({ facts, stored }) => [facts.uuid, stored.nodeId])),
      changes: changesKey(report),
      unread: unreadKey(report),
      unreadDueMs: overdue ? null : dueMs,
    },
    changed: wrote || writes.length > 0 || claims.length > 0 || awaited.length > 0,
  }
}

interface JudgedChip {
  readonly input: Judged
  readonly verdict: Verdict
}

async function judgeAll(
  tx: Tx,
  { ids, quarantine: policy }: ObserveParts,
  about: {
    readonly node: ReportingNode
    readonly matching: Matching
    readonly report: AgentReport
    readonly clockSkewMs: number | null
    readonly nowMs: number
    /** Drivers that are not read yet have been waited for long enough. */
    readonly overdue: boolean
  },
): Promise<readonly JudgedChip[]> {
  const { node, matching, nowMs } = about
  const kept = entriesOf(about.report.changes, about.clockSkewMs)
  const common = { node, nowMs, policy, unread: false, lost: lostOf(about.report, about.clockSkewMs) }
  const asked = [
    ...matching.present.map(({ facts, stored, reportedUuid }) => ({
      ...common,
      chipId: stored?.id ?? ids.next('chip'),
      stored,
      facts,
      changes: kept.get(reportedUuid) ?? [],
    })),
    ...(about.overdue ? toDoubt(matching) : []).map((stored) => ({
      ...common,
      unread: true,
      chipId: stored.id,
      stored,
      facts: null,
      changes: [],
    })),
    ...matching.missing.map((stored) => ({
      ...common,
      chipId: stored.id,
      stored,
      facts: null,
      changes: kept.get(stored.uuid) ?? [],
    })),
  ]
  const histories = await readHistories(
    tx,
    asked.filter(wantsHistory).map(({ chipId, changes }) => ({
      chipId,
      sinceMs: Math.min(nowMs - policy.withinMs, ...changes.map(({ atMs }) => atMs)),
    })),
  )
  return asked.map((each) => {
    const input = { ...each, history: histories.get(each.chipId) ?? [] }
    return { input, verdict: judge(input) }
  })
}

function hasNews({ stored, node, facts }: Judged, verdict: Verdict): boolean {
  if (stored === null || stored.nodeId !== node.id || verdict.events.length > 0) return true
  // An absent chip has no digest; what is left of it to say is its state.
  const sameFacts = facts === null || (stored.digest === verdict.digest && stored.uuid === facts.uuid)
  return !sameFacts || stored.state !== verdict.standing.state
}

/** Told once, until the claim is withdrawn or the chip goes over. */
function claimsOf(node: ReportingNode, { refused }: Matching, nowMs: number): readonly PlannedEvent[] {
  return refused.filter(({ stored }) => !stored.claimed).flatMap(({ stored }) => claimOf(node, stored, nowMs))
}

/** Two owners are told one event each: what is theirs of it, and nothing of the other's node. */
function claimOf(node: ReportingNode, stored: StoredChip, nowMs: number): readonly PlannedEvent[] {
  const { holder, nodeId: holderId } = stored
  const event = { chipId: stored.id, kind: 'claimed-twice', atMs: nowMs, agentAtMs: null, by: null } as const
  if (sameOwner(holder, node)) {
    const evidence = [{ code: 'claimed-by', params: { rival: node.hostname, holder: holder.hostname } }]
    return [{ ...event, nodeId: node.id, from: holderId, to: node.id, evidence }]
  }
  const toHolder = { from: holderId, to: null, evidence: [{ code: 'claimed-elsewhere', params: {} }] }
  const toRival = { from: null, to: node.id, evidence: [{ code: 'held-elsewhere', params: {} }] }
  return [
    { ...event, nodeId: holderId, ...toHolder },
    { ...event, nodeId: node.id, ...toRival },
  ]
}

async function writeNode(
  tx: Tx,
  before: NodeRow,
  report: AgentReport,
  clockSkewMs: number | null,
  nowMs: number,
): Promise<boolean> {
  const digest = digestOfNode(report)
  if (before.digest === digest && before.state === 'connected') return false
  await tx
    .updateTable('nodes')
    .set({
      boot_id: report.bootId,
      facts: JSON.stringify(report.facts),
      digest,
      last_seen_at: new Date(nowMs),
      ...(clockSkewMs === null ? {} : { clock_skew_ms: clockSkewMs }),
      ...(before.state === 'connected' ? {} : { state: 'connected' as const, state_since: new Date(nowMs) }),
    })
    .where('id', '=', before.id)
    .execute()
  return true
}

function chipsAfter({ present }: Matching, judged: readonly JudgedChip[]): ReadonlyMap<string, KnownChip> {
  const ids = new Map(judged.map(({ input, verdict }) => [input.facts?.uuid ?? '', verdict.chipId]))
  return new Map(
    present.map(({ facts, reportedUuid }) => {
      // Compared with what the agent sends, under the uuid it uses.
      const digest = digestOfChip({ ...facts, uuid: reportedUuid })
      return [reportedUuid, { id: ids.get(facts.uuid) ?? '', digest }]
    }),
  )
}
