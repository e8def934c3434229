/** From one agent's view of its node to what has to be written: pure, and the same for the same input. */
import { digestOfChip, isMadeUuid } from './chip-facts.ts'
import { mergeHistory, type StateEntry } from './domain/history.ts'
import { type QuarantinePolicy, quarantineFor } from './domain/quarantine.ts'
import {
  CHANGES_LOST,
  type Coded,
  DISAPPEARED,
  isFault,
  NOT_READ_YET,
  NOT_REPORTED,
  type Standing,
  standingOf,
} from './domain/state.ts'
import type { AgentReport, ChipFacts } from './protocol.ts'
import type { ChipEvent, ChipState, NodeState } from './views.ts'

/** A chip as the store has it, with its node. */
export interface StoredChip {
  readonly id: string
  readonly nodeId: string
  readonly uuid: string
  readonly digest: string | null
  readonly state: ChipState
  readonly stateSinceMs: number
  readonly evidence: readonly Coded[]
  readonly vendor: string
  readonly product: string
  readonly driverVersion: string | null
  readonly firmwareVersion: string | null
  readonly pciAddress: string | null
  /** The reporting node was told that another one holds the chip. */
  readonly claimed: boolean
  readonly quarantined: boolean
  readonly releasedAtMs: number | null
  /** Taken out for good, by an operator's word. */
  readonly retired: boolean
  readonly holder: {
    readonly state: NodeState
    readonly tenantId: string | null
    readonly simulated: boolean
    readonly hostname: string
  }
}

export interface ReportingNode {
  readonly id: string
  readonly tenantId: string | null
  readonly simulated: boolean
  readonly hostname: string
  /** Same boot as in the last report: a chip that is missing now went while the agent ran on. */
  readonly sameBoot: boolean
}

/** One chip of the report, with what is known of it. */
export interface Match {
  /** By the uuid under which the chip is kept. */
  readonly facts: ChipFacts
  /** As the agent calls it. */
  readonly reportedUuid: string
  readonly stored: StoredChip | null
}

export interface Matching {
  readonly present: readonly Match[]
  /** Chips that another node holds. */
  readonly refused: readonly { readonly facts: ChipFacts; readonly stored: StoredChip }[]
  /** Chips of the node that the report leaves out. */
  readonly missing: readonly StoredChip[]
  /** Chips of drivers that the agent has not read since it started: that the report leaves them out says nothing. */
  readonly unread: readonly StoredChip[]
  /** Chips that the node claimed and no longer does. */
  readonly withdrawn: readonly StoredChip[]
}

/** Which known chip each reported one is. A chip counts once, whatever the report says. */
export function matchChips(
  node: ReportingNode,
  { chips, unread: drivers }: Pick<AgentReport, 'chips' | 'unread'>,
  stored: readonly StoredChip[],
): Matching {
  const isUnread = ({ vendor }: StoredChip): boolean => drivers?.includes(vendor) === true
  const own = new Map(stored.filter(({ nodeId }) => nodeId === node.id).map((chip) => [chip.uuid, chip]))
  const foreign = new Map(stored.filter(({ nodeId }) => nodeId !== node.id).map((chip) => [chip.uuid, chip]))
  const reported = new Map(chips.toReversed().map((facts) => [facts.uuid, facts]))
  const left = new Map([...own].filter(([uuid]) => !reported.has(uuid)))
  const present: Match[] = []
  const refused: Matching['refused'][number][] = []
  const unmatched: ChipFacts[] = []
  for (const facts of reported.values()) {
    const chip = own.get(facts.uuid)
    if (chip) present.push({ facts, reportedUuid: facts.uuid, stored: chip })
    else unmatched.push(facts)
  }
  for (const facts of unmatched) {
    const reportedUuid = facts.uuid
    const holder = isMadeUuid(facts) ? undefined : foreign.get(reportedUuid)
    const before = holder ? null : inSameSlot(facts, left)
    if (before) {
      left.delete(before.uuid)
      // The vendor's own uuid says more than the slot, whichever of the two came first.
      const uuid = isMadeUuid(facts) ? before.uuid : reportedUuid
      present.push({ facts: { ...facts, uuid }, reportedUuid, stored: before })
    } else if (holder && !mayMove(holder, node)) refused.push({ facts, stored: holder })
    else present.push({ facts, reportedUuid, stored: holder ?? null })
  }
  const withdrawn = [...foreign.values()].filter((chip) => chip.claimed && !reported.has(chip.uuid) && !isUnread(chip))
  const missing = [...left.values()]
  return {
    present,
    refused,
    missing: missing.filter((chip) => !isUnread(chip)),
    unread: missing.filter(isUnread),
    withdrawn,
  }
}

/** A chip whose tool no longer (or only now) names it, known by where it sits. */
function inSameSlot(facts: ChipFacts, left: ReadonlyMap<string, StoredChip>): StoredChip | null {
  if (facts.pciAddress === null) return null
  for (const chip of left.values()) {
    const sameSlot = chip.vendor === facts.vendor && chip.pciAddress === facts.pciAddress
    // Two uuids of the vendor in one slot are two cards, one after the other; so is what follows a retired one.
    if (sameSlot && !chip.retired && isMadeUuid(facts) !== isMadeUuid(chip)) return chip
  }
  return null
}

/**
 * A chip goes over only when its old node no longer vouches for it. A simulated node never gets a real chip, and one
 * owner's node no chip of another's before that one's node is revoked: to say a uuid is not to have the chip, and who
 * is merely away or pulled a card comes back.
 */
function mayMove({ holder, state }: StoredChip, to: ReportingNode): boolean {
  if (holder.simulated !== to.simulated) return false
  if (holder.state === 'revoked') return true
  return sameOwner(holder, to) && (state === 'absent' || holder.state === 'away')
}

/** Of two owners none is told of the other's nodes. */
export function sameOwner(one: { readonly tenantId: string | null }, other: { readonly tenantId: string | null }) {
  return one.tenantId === other.tenantId
}

/** A change that an agent kept, by the server's clock. */
export function entriesOf(
  changes: AgentReport['changes'],
  clockSkewMs: number | null,
): ReadonlyMap<string, StateEntry[]> {
  const entries = new Map<string, StateEntry[]>()
  for (const change of changes ?? []) {
    const entry = { ...standingOf(change), atMs: change.atMs - Math.round(clockSkewMs ?? 0), agentAtMs: change.atMs }
    const list = entries.get(change.uuid)
    if (list) list.push(entry)
    else entries.set(change.uuid, [entry])
  }
  return entries
}

/** Which chips changed in between is lost too: the node's chips are told alike. */
export function lostOf(
  { changesLostBeforeMs }: Pick<AgentReport, 'changesLostBeforeMs'>,
  clockSkewMs: number | null,
): readonly Coded[] {
  if (changesLostBeforeMs === undefined) return []
  const before = new Date(changesLostBeforeMs - Math.round(clockSkewMs ?? 0))
  // An agent's clock may be anywhere, also where no calendar goes.
  if (Number.isNaN(before.getTime())) return []
  return [{ code: CHANGES_LOST, params: { before: before.toISOString() } }]
}

export type PlannedEvent = Omit<ChipEvent, 'id' | 'at'> & { readonly atMs: number; readonly agentAtMs: number | null }

/** What is to be written of one chip. */
export interface Verdict {
  readonly chipId: string
  readonly isNew: boolean
  /** Null where the agent says nothing of the chip any more: the old ones stay. */
  readonly facts: ChipFacts | null
  readonly digest: string | null
  readonly standing: Standing
  readonly sinceMs: number
  readonly known: {
    readonly product: string
    readonly driverVersion: string | null
    readonly firmwareVersion: string | null
  }
  readonly quarantine: Coded | null
  readonly events: readonly PlannedEvent[]
}

export interface Judged {
  readonly node: ReportingNode
  readonly chipId: string
  readonly stored: StoredChip | null
  /** Null: the report leaves the chip out. */
  readonly facts: ChipFacts | null
  /** Its driver has not been read since the agent's start, for longer than a tool may take. */
  readonly unread: boolean
  readonly changes: readonly StateEntry[]
  /** What the report says of changes that its agent had to drop; told with the first change after them. */
  readonly lost: readonly Coded[]
  /** End of the history; empty where nothing but the present state matters. */
  readonly history: readonly StateEntry[]
  readonly nowMs: number
  readonly policy: QuarantinePolicy
}

function standingNow({ node, facts, stored, unread }: Pick<Judged, 'node' | 'facts' | 'stored' | 'unread'>): Standing {
  if (facts) return standingOf(facts)
  if (unread) return { state: 'unknown', evidence: [NOT_READ_YET] }
  const seen = node.sameBoot && !(stored && isAwaited(stored))
  return { state: 'absent', evidence: [seen ? DISAPPEARED : NOT_REPORTED] }
}

/** Whether the chip was marked by `awaitChips`: not seen since its agent started, and still as it was before. */
function isAwaited({ digest, state, evidence }: StoredChip): boolean {
  return digest === null && (state !== 'unknown' || evidence.some(({ code }) => code === NOT_READ_YET.code))
}

/** Chips that are to be marked as not read yet. Those that are absent stay so until they are seen. */
export function toAwait({ unread }: Matching): readonly StoredChip[] {
  return unread.filter((chip) => chip.state !== 'absent' && !isAwaited(chip))
}

/** Chips of drivers that were waited for in vain: nobody knows how they are, least of all that they are well. */
export function toDoubt({ unread }: Matching): readonly StoredChip[] {
  return unread.filter((chip) => chip.state !== 'absent' && chip.state !== 'unknown')
}

/** Whether {@link judge} wants the chip's history: to sort in what the agent kept, or to count faults. */
export function wantsHistory(asked: Omit<Judged, 'history'>): boolean {
  const { stored, changes } = asked
  if (!stored) return false
  const standing = standingNow(asked)
  return changes.length > 0 || (standing.state !== stored.state && isFault(standing))
}

export function judge(input: Judged): Verdict {
  const { node, chipId, stored, facts, nowMs, policy } = input
  const standing = absentBefore(input) ?? standingNow(input)
  const merged = mergeHistory(historyOf(input), input.changes, { ...standing, atMs: nowMs })
  const base = { chipId, nodeId: node.id, by: null }
  const events = merged.added.map(
    ({ atMs, agentAtMs, state, evidence }, index): PlannedEvent => ({
      ...base,
      kind: stored === null && index === 0 ? 'found' : 'state',
      atMs,
      agentAtMs,
      from: null,
      to: state,
      evidence: stored !== null && index === 0 ? [...evidence, ...input.lost] : evidence,
    }),
  )
  const plain = (kind: ChipEvent['kind'], from: string | null, to: string, evidence: readonly Coded[] = []) =>
    events.push({ ...base, kind, atMs: nowMs, agentAtMs: null, from, to, evidence })
  if (stored && stored.nodeId !== node.id)
    plain('moved', sameOwner(stored.holder, node) ? stored.nodeId : null, node.id)
  const known = knownOf(stored, facts, merged.current.to)
  if (stored && known.product !== stored.product && stored.product !== '')
    plain('product', stored.product, known.product)
  for (const [kind, before, after] of [
    ['driver-version', stored?.driverVersion, known.driverVersion],
    ['firmware-version', stored?.firmwareVersion, known.firmwareVersion],
  ] as const)
    if (before && after && before !== after) plain(kind, before, after)
  const times = { nowMs, releasedAtMs: stored?.releasedAtMs ?? null }
  const faulty = merged.added.some(isFault) && stored?.quarantined !== true
  const quarantine = faulty ? quarantineFor(merged.transitions, policy, times) : null
  if (quarantine) plain('quarantined', null, quarantine.code, [quarantine])
  return {
    chipId,
    isNew: stored === null,
    facts,
    digest: facts ? digestOfChip(facts) : null,
    standing: { state: merged.current.to, evidence: standing.evidence },
    sinceMs: merged.current.atMs,
    known,
    quarantine,
    events,
  }
}

/** A chip that was absent already keeps the reason it has. */
function absentBefore({ facts, stored }: Judged): Standing | null {
  return facts === null && stored?.state === 'absent' ? { state: 'absent', evidence: stored.evidence } : null
}

function historyOf({ stored, history }: Judged): readonly StateEntry[] {
  if (stored === null) return []
  if (history.length > 0) return history
  return [{ state: stored.state, evidence: stored.evidence, atMs: stored.stateSinceMs, agentAtMs: null }]
}

/** A chip that cannot be asked keeps the names it had: losing its tool is not another product. */
function knownOf(stored: StoredChip | null, facts: ChipFacts | null, state: ChipState): Verdict['known'] {
  const asked = facts && (stored === null || state === 'healthy' || state === 'degraded')
  return {
    product: asked ? facts.product : (stored?.product ?? ''),
    driverVersion: facts?.driverVersion ?? stored?.driverVersion ?? null,
    firmwareVersion: facts?.firmwareVersion ?? stored?.firmwareVersion ?? null,
  }
}
