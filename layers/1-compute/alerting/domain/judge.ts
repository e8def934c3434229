import type { UsualDriver } from './drift.ts'
import type { ChipObservation, Coded, NodeObservation } from './observation.ts'
import type { AlertRule, Condition, MetricColumns } from './rule.ts'

/** What a rule says of one subject now. `holds: null`: it cannot be told. */
export interface Verdict {
  readonly holds: boolean | null
  readonly value: number | null
  /** Made only when asked for: most verdicts are never shown. */
  readonly evidence: () => readonly Coded[]
}

/** What a verdict needs beside the chip itself. */
export interface Surroundings {
  readonly nowMs: number
  readonly columns: MetricColumns
  readonly usualDriver: UsualDriver
  /** Increase of a metric of this chip within the last hour. */
  increaseOf(chipId: string, metric: string): number | null
}

/** A reading older than this says nothing of now, milliseconds. */
const STALE_MS = 180_000

const none = (): readonly Coded[] => []
const UNKNOWN: Verdict = { holds: null, value: null, evidence: none }
const FALSE: Verdict = { holds: false, value: null, evidence: none }

/** Whether a rule looks at this chip at all. */
export function concerns(rule: AlertRule, chip: { readonly vendor: string; readonly simulated: boolean }): boolean {
  if (chip.simulated && !rule.includeSimulated) return false
  return rule.vendors.length === 0 || rule.vendors.includes(chip.vendor)
}

export function judgeChip(condition: Condition, chip: ChipObservation, around: Surroundings): Verdict {
  switch (condition.kind) {
    case 'metric':
      return judgeMetric(condition, chip, around)
    case 'chip-state':
      return judgeState(condition.states, chip)
    case 'driver-drift':
      return judgeDriver(chip, around.usualDriver(chip))
    case 'quarantine': {
      const { quarantine } = chip
      return quarantine === null ? FALSE : { holds: true, value: null, evidence: () => [quarantine] }
    }
    case 'node-away':
      return FALSE
  }
}

export function judgeNode(node: NodeObservation): Verdict {
  if (node.state !== 'away') return FALSE
  const evidence = () => [{ code: 'alerting.node.away', params: { node: node.name } }]
  return { holds: true, value: null, evidence }
}

function judgeMetric(
  condition: Condition & { readonly kind: 'metric' },
  chip: ChipObservation,
  around: Surroundings,
): Verdict {
  const value = measured(condition, chip, around)
  if (value === null) return UNKNOWN
  const { metric, comparison, threshold } = condition
  const holds = comparison === 'below' ? value < threshold : value > threshold
  if (!holds) return { holds, value, evidence: none }
  const params = { metric, value: String(value), threshold: String(threshold) }
  return { holds, value, evidence: () => [{ code: `alerting.metric.${comparison}`, params }] }
}

function measured(
  { metric, comparison }: Condition & { readonly kind: 'metric' },
  chip: ChipObservation,
  { nowMs, columns, increaseOf }: Surroundings,
): number | null {
  const stale = chip.readAtMs === null || nowMs - chip.readAtMs > STALE_MS
  const column = columns.get(metric)
  const now = stale || column === undefined ? null : (chip.values?.[column.index] ?? null)
  return now !== null && comparison === 'increased-by' ? increaseOf(chip.chipId, metric) : now
}

/** A chip that nobody can see now is in no state, unless a rule asks for just that. */
function judgeState(states: readonly string[], chip: ChipObservation): Verdict {
  const holds = states.includes(chip.state)
  if (!holds) return chip.state === 'unknown' ? UNKNOWN : FALSE
  const evidence = () => [{ code: 'alerting.chip.state', params: { state: chip.state } }, ...chip.evidence]
  return { holds, value: null, evidence }
}

function judgeDriver(chip: ChipObservation, usual: string | null): Verdict {
  const version = chip.driverVersion
  if (version === null) return UNKNOWN
  // Without a version that leads nobody can say which chip is the odd one out.
  if (usual === null || version === usual) return FALSE
  const evidence = () => [{ code: 'alerting.driver.drift', params: { version, usual, product: chip.product } }]
  return { holds: true, value: null, evidence }
}
