import type { Localized } from '@medley/kernel'

/** Same words as the fleet's chip states; spelt here because a domain knows no other module. */
export type ChipState = 'absent' | 'no-driver' | 'unusable' | 'lost' | 'degraded' | 'healthy' | 'unknown'

export type Severity = 'info' | 'warning' | 'critical'

export type Condition =
  | {
      readonly kind: 'metric'
      /** A name of the metric catalogue. */
      readonly metric: string
      /** `increased-by`: by more than the threshold within the last hour. */
      readonly comparison: 'above' | 'below' | 'increased-by'
      readonly threshold: number
    }
  | { readonly kind: 'chip-state'; readonly states: readonly ChipState[] }
  | { readonly kind: 'node-away' }
  | { readonly kind: 'driver-drift' }
  | { readonly kind: 'quarantine' }

export interface AlertRule {
  readonly id: string
  readonly builtIn: boolean
  readonly name: Localized
  readonly enabled: boolean
  readonly severity: Severity
  readonly condition: Condition
  readonly forSeconds: number
  /** Empty: all. */
  readonly vendors: readonly string[]
  readonly includeSimulated: boolean
  readonly channelIds: readonly string[]
}

/** How a metric is read: at which place of a reading, and whether it only ever counts up. */
export interface MetricColumn {
  readonly index: number
  readonly counter: boolean
}
export type MetricColumns = ReadonlyMap<string, MetricColumn>
