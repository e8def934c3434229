import { NO_USUAL_DRIVER, type UsualDriver, usualDrivers } from './drift.ts'
import { concerns, judgeChip, judgeNode, type Surroundings, type Verdict } from './judge.ts'
import type { ChipObservation, Coded, NodeObservation, Observation } from './observation.ts'
import type { AlertRule, MetricColumns } from './rule.ts'
import { advance, type Standing } from './standing.ts'
import { extend, increase, type Trail } from './trail.ts'

export interface Subject {
  readonly id: string
  readonly nodeId: string
  readonly chipId: string | null
  readonly tenantId: string | null
  readonly name: string
  readonly simulated: boolean
}

/** An alert that begins or ends. An alert of something that is gone ends without a subject. */
export interface Transition {
  readonly event: 'firing' | 'resolved'
  readonly rule: AlertRule | null
  readonly ruleId: string
  readonly subjectId: string
  readonly subject: Subject | null
  readonly value: number | null
  readonly evidence: readonly Coded[]
}

export interface StandingChange {
  readonly ruleId: string
  readonly subjectId: string
  /** Null: back to nothing. */
  readonly standing: Standing | null
}

export interface TrailChange {
  readonly chipId: string
  readonly metric: string
  readonly trail: Trail
}

/** What one evaluation found. It takes effect with {@link Evaluator.commit}, once it is stored. */
export interface Outcome {
  readonly transitions: readonly Transition[]
  readonly standings: readonly StandingChange[]
  readonly trails: readonly TrailChange[]
}

export interface SavedState {
  readonly standings: Iterable<StandingChange>
  readonly trails: Iterable<TrailChange>
}

export interface Evaluator {
  /** Takes note of what is so now. Not undone where what follows fails. */
  observe(observation: Observation): void
  /** Repeatable until it is committed: the same rules and time give the same outcome. */
  evaluate(rules: readonly AlertRule[], nowMs: number): Outcome
  commit(outcome: Outcome): void
}

interface KeptTrail {
  trail: Trail
  /** As it was stored last; null: not yet. */
  saved: Trail | null
}

/** The trail of a gauge changes with every reading: it is stored this much later at the earliest, milliseconds. */
const GAUGE_SAVE_MS = 300_000
const NOTHING: Outcome = { transitions: [], standings: [], trails: [] }

/**
 * Decides which alerts begin and end. Keeps what was last observed, so that a caller need name only what changed; has
 * no clock and does no I/O. What must outlive the process goes out as changes and comes in as `saved`.
 */
export function createEvaluator(columns: MetricColumns, saved: SavedState): Evaluator {
  const nodes = new Map<string, NodeObservation>()
  const chips = new Map<string, ChipObservation>()
  const standings = new Map<string, Map<string, Standing>>()
  // Outlives the chip's leaving: one that comes back goes on counting where it stood.
  const trails = new Map<string, Map<string, KeptTrail>>()
  let whole = false
  /** Counted again after a chip or node of another kind than before was seen. */
  let usual: UsualDriver | null = null
  for (const { ruleId, subjectId, standing } of saved.standings) put(standings, ruleId, subjectId, standing)
  for (const { chipId, metric, trail } of saved.trails) put(trails, chipId, metric, { trail, saved: trail })

  function observe({ complete, nodes: seenNodes, chips: seenChips }: Observation): void {
    const seen = new Set<string>()
    for (const node of seenNodes) {
      if (nodes.get(node.nodeId)?.state !== node.state) usual = null
      nodes.set(node.nodeId, node)
      if (complete) seen.add(node.nodeId)
    }
    for (const chip of seenChips) {
      if (!countsAlike(chips.get(chip.chipId), chip)) usual = null
      chips.set(chip.chipId, chip)
      if (complete) seen.add(chip.chipId)
    }
    if (!complete) return
    whole = true
    forgetOthers(nodes, seen)
    if (forgetOthers(chips, seen)) usual = null
  }

  function follow(metrics: ReadonlySet<string>): TrailChange[] {
    const changes: TrailChange[] = []
    for (const metric of metrics) {
      const column = columns.get(metric)
      if (column === undefined) continue
      for (const chip of chips.values()) {
        const change = followOne(chip, metric, column.index, column.counter)
        if (change) changes.push(change)
      }
    }
    return changes
  }

  function followOne(chip: ChipObservation, metric: string, index: number, counter: boolean): TrailChange | null {
    const value = chip.values?.[index] ?? null
    if (value === null || chip.readAtMs === null) return null
    const before = trails.get(chip.chipId)?.get(metric)
    const saved = before?.saved ?? null
    const trail = extend(before?.trail ?? null, value, chip.readAtMs, counter)
    put(trails, chip.chipId, metric, { trail, saved })
    // A counter that stood still need not be stored: the next reading after a restart counts from the same value.
    const fresh = counter ? saved?.last === trail.last : saved && trail.lastAtMs - saved.lastAtMs < GAUGE_SAVE_MS
    return fresh ? null : { chipId: chip.chipId, metric, trail }
  }

  function surroundings(rules: readonly AlertRule[], nowMs: number): Surroundings {
    const drifting = rules.some((rule) => rule.condition.kind === 'driver-drift')
    if (drifting) usual ??= usualDrivers(present(chips, nodes))
    const usualDriver = usual ?? NO_USUAL_DRIVER
    const increaseOf = (chipId: string, metric: string): number | null => {
      const trail = trails.get(chipId)?.get(metric)?.trail ?? null
      return increase(trail, nowMs, columns.get(metric)?.counter ?? false)
    }
    return { nowMs, columns, usualDriver, increaseOf }
  }

  function evaluateRule(rule: AlertRule, around: Surroundings, into: MutableOutcome): void {
    const known = standings.get(rule.id) ?? NOBODY
    const judged = new Set<string>()
    const visit: Visit = (id, verdict, subject) => {
      const before = known.get(id) ?? null
      if (before === null && verdict.holds !== true) return
      judged.add(id)
      const { standing, event } = advance(before, verdict.holds, rule.forSeconds * 1_000, around.nowMs)
      if (standing !== before) into.standings.push({ ruleId: rule.id, subjectId: id, standing })
      if (event === null) return
      const [value, evidence] = [verdict.value, verdict.evidence()]
      into.transitions.push({ event, rule, ruleId: rule.id, subjectId: id, subject: subject(), value, evidence })
    }
    if (rule.condition.kind === 'node-away') visitNodes(rule, visit)
    else visitChips(rule, around, known, visit)
    // Gone from the fleet, or no longer the rule's concern.
    for (const [id, standing] of known) if (!judged.has(id)) end(rule, id, standing, into)
  }

  function visitNodes(rule: AlertRule, visit: Visit): void {
    for (const node of nodes.values()) {
      if (node.simulated && !rule.includeSimulated) continue
      visit(node.nodeId, silenced(node, judgeNode(node)), () => subjectOfNode(node))
    }
  }

  function visitChips(rule: AlertRule, around: Surroundings, known: ReadonlyMap<string, Standing>, visit: Visit): void {
    for (const chip of chips.values()) {
      if (!concerns(rule, chip)) continue
      const verdict = judgeChip(rule.condition, chip, around)
      // Nearly all of them: nothing is wrong and nothing was.
      if (verdict.holds !== true && !known.has(chip.chipId)) continue
      const node = nodes.get(chip.nodeId)
      visit(chip.chipId, silenced(node, verdict), () => subjectOfChip(chip, node))
    }
  }

  return {
    observe,
    evaluate(rules, nowMs) {
      // Before the whole fleet was seen once, what was not named is not gone, and no driver is the usual one.
      if (!whole) return NOTHING
      const into: MutableOutcome = { transitions: [], standings: [] }
      const active = rules.filter((rule) => rule.enabled)
      const followed = follow(trailedMetrics(active))
      const around = surroundings(active, nowMs)
      const activeIds = new Set(active.map((rule) => rule.id))
      for (const rule of active) evaluateRule(rule, around, into)
      for (const [ruleId, subjects] of standings) {
        if (activeIds.has(ruleId)) continue
        const rule = rules.find((each) => each.id === ruleId) ?? null
        for (const [id, standing] of subjects) end(rule ?? ruleId, id, standing, into)
      }
      return { ...into, trails: followed }
    },
    commit(outcome) {
      for (const { ruleId, subjectId, standing } of outcome.standings) put(standings, ruleId, subjectId, standing)
      for (const { chipId, metric, trail } of outcome.trails) {
        const kept = trails.get(chipId)?.get(metric)
        if (kept) kept.saved = trail
      }
    },
  }
}

type Visit = (id: string, verdict: Verdict, subject: () => Subject) => void

const NOBODY: ReadonlyMap<string, Standing> = new Map()

interface MutableOutcome {
  readonly transitions: Transition[]
  readonly standings: StandingChange[]
}

/** A subject that no rule looks at any more has nothing to wait for. */
function end(rule: AlertRule | string, subjectId: string, standing: Standing, into: MutableOutcome): void {
  const ruleId = typeof rule === 'string' ? rule : rule.id
  into.standings.push({ ruleId, subjectId, standing: null })
  if (standing.phase === 'pending') return
  const whose = { rule: typeof rule === 'string' ? null : rule, ruleId, subjectId, subject: null }
  into.transitions.push({ event: 'resolved', ...whose, value: null, evidence: [] })
}

/** Nobody is called for a node in maintenance, and nothing is taken back either; a revoked one is no longer ours. */
function silenced(node: NodeObservation | undefined, verdict: Verdict): Verdict {
  if (node?.state === 'revoked') return { ...verdict, holds: false }
  return node?.maintenance ? { ...verdict, holds: null } : verdict
}

function* present(chips: ReadonlyMap<string, ChipObservation>, nodes: ReadonlyMap<string, NodeObservation>) {
  for (const chip of chips.values()) if (nodes.get(chip.nodeId)?.state !== 'revoked') yield chip
}

/** @returns whether there was any. */
function forgetOthers(known: Map<string, unknown>, seen: ReadonlySet<string>): boolean {
  const before = known.size
  for (const id of known.keys()) if (!seen.has(id)) known.delete(id)
  return known.size < before
}

/** Whether the two weigh the same in what driver is usual. */
function countsAlike(before: ChipObservation | undefined, chip: ChipObservation): boolean {
  if (before === undefined || before.driverVersion !== chip.driverVersion) return false
  if (before.product !== chip.product || before.vendor !== chip.vendor || before.nodeId !== chip.nodeId) return false
  return before.simulated === chip.simulated && (before.state === 'absent') === (chip.state === 'absent')
}

function trailedMetrics(rules: readonly AlertRule[]): ReadonlySet<string> {
  const metrics = rules.flatMap(({ condition }) =>
    condition.kind === 'metric' && condition.comparison === 'increased-by' ? [condition.metric] : [],
  )
  return new Set(metrics)
}

function subjectOfNode(node: NodeObservation): Subject {
  const { nodeId, tenantId, name, simulated } = node
  return { id: nodeId, nodeId, chipId: null, tenantId, name, simulated }
}

function subjectOfChip(chip: ChipObservation, node: NodeObservation | undefined): Subject {
  const { chipId, nodeId, simulated } = chip
  return { id: chipId, nodeId, chipId, tenantId: node?.tenantId ?? null, name: chip.name, simulated }
}

function put<Value>(into: Map<string, Map<string, Value>>, outer: string, inner: string, value: Value | null): void {
  const found = into.get(outer) ?? new Map<string, Value>()
  if (value === null) found.delete(inner)
  else found.set(inner, value)
  if (found.size > 0) into.set(outer, found)
  else into.delete(outer)
}
