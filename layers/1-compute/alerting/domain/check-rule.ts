import type { FieldError } from '@medley/kernel'
import type { AlertRule, Condition, MetricColumns } from './rule.ts'

type Settings = Omit<AlertRule, 'id' | 'builtIn'>

const DAY_SECONDS = 86_400

/** What keeps a rule from being evaluated; empty: nothing. */
export function faultsOf(rule: Settings, metrics: MetricColumns, channelIds: ReadonlySet<string>): FieldError[] {
  const faults: FieldError[] = []
  const fault = (path: string, message: string) => faults.push({ path, message })
  for (const [locale, name] of Object.entries(rule.name)) {
    if (name.trim() === '' || name.length > 200) fault(`name.${locale}`, 'between 1 and 200 characters')
  }
  if (!Number.isInteger(rule.forSeconds) || rule.forSeconds < 0 || rule.forSeconds > DAY_SECONDS) {
    fault('forSeconds', 'whole seconds, from 0 to a day')
  }
  for (const id of rule.channelIds) if (!channelIds.has(id)) fault('channelIds', `there is no channel ${id}`)
  const { condition } = rule
  if (condition.kind === 'chip-state' && condition.states.length === 0) fault('condition.states', 'at least one state')
  if (condition.kind !== 'metric') return faults
  if (!metrics.has(condition.metric)) fault('condition.metric', `there is no metric ${condition.metric}`)
  if (!Number.isFinite(condition.threshold)) fault('condition.threshold', 'a number')
  return faults
}

/** Members of a built-in rule that a change would touch and must not. */
export function fixedMembers(rule: Settings, changed: Settings): readonly string[] {
  const fixed = (['name', 'severity', 'vendors'] as const).filter((key) => !same(rule[key], changed[key]))
  const condition = same(apartFromThreshold(rule.condition), apartFromThreshold(changed.condition))
  return condition ? fixed : [...fixed, 'condition']
}

function apartFromThreshold(condition: Condition): unknown {
  if (condition.kind === 'metric') return [condition.kind, condition.metric, condition.comparison]
  return condition.kind === 'chip-state' ? [condition.kind, ...condition.states] : [condition.kind]
}

function same(left: unknown, right: unknown): boolean {
  return sortedJson(left) === sortedJson(right)
}

/** The store does not keep the order of members. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([left], [right]) => (left < right ? -1 : 1)))
      : member,
  )
}
