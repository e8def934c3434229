import type { AlertRule, NewAlertRule } from '../../shared/api/types.ts'

type Condition = AlertRule['condition']
type MetricCondition = Extract<Condition, { kind: 'metric' }>
export type ConditionKind = Condition['kind']
export type Comparison = MetricCondition['comparison']

/** A rule while it is written: every member of every kind of condition, of which the chosen kind's are sent. */
export interface RuleDraft {
  readonly name: string
  readonly severity: AlertRule['severity']
  readonly kind: ConditionKind
  readonly metric: string
  readonly comparison: Comparison
  readonly threshold: number | null
  readonly states: Extract<Condition, { kind: 'chip-state' }>['states']
  readonly forSeconds: number
  readonly vendors: readonly string[]
  readonly includeSimulated: boolean
  readonly channelIds: readonly string[]
}

export function draftOf(rule: AlertRule | null, locale: 'en' | 'zh-CN'): RuleDraft {
  const condition = rule?.condition
  const metric = condition?.kind === 'metric' ? condition : null
  return {
    name: rule?.name[locale] ?? '',
    severity: rule?.severity ?? 'warning',
    kind: condition?.kind ?? 'metric',
    metric: metric?.metric ?? 'temperatureCelsius',
    comparison: metric?.comparison ?? 'above',
    threshold: metric?.threshold ?? (rule === null ? 80 : null),
    states: condition?.kind === 'chip-state' ? condition.states : ['lost'],
    forSeconds: rule?.forSeconds ?? 60,
    vendors: rule?.vendors ?? [],
    includeSimulated: rule?.includeSimulated ?? false,
    channelIds: rule?.channelIds ?? [],
  }
}

export type DraftFault = 'nameMissing' | 'threshold' | 'states'

export function faultOf(draft: RuleDraft): DraftFault | null {
  if (draft.name.trim() === '') return 'nameMissing'
  if (draft.kind === 'metric' && draft.threshold === null) return 'threshold'
  return draft.kind === 'chip-state' && draft.states.length === 0 ? 'states' : null
}

function conditionOf(draft: RuleDraft): Condition {
  if (draft.kind === 'metric') {
    const { metric, comparison, threshold } = draft
    return { kind: 'metric', metric, comparison, threshold: threshold ?? 0 }
  }
  return draft.kind === 'chip-state' ? { kind: 'chip-state', states: [...draft.states] } : { kind: draft.kind }
}

/** What is sent. Of a built-in rule only what may be changed, so that its name keeps both languages. */
export function changeOf(draft: RuleDraft, rule: AlertRule | null): Partial<NewAlertRule> {
  const settings = {
    condition: conditionOf(draft),
    forSeconds: draft.forSeconds,
    includeSimulated: draft.includeSimulated,
    channelIds: [...draft.channelIds],
  }
  if (rule?.builtIn === true) return settings
  return { ...settings, name: draft.name.trim(), severity: draft.severity, vendors: [...draft.vendors] }
}
