import { type Clock, type IdFactory, systemScope } from '@medley/kernel'
import { CHIP_METRICS } from '@medley/monitoring/protocol'
import type { ScopedDatabase } from '@medley/store'
import type { Sealer } from './adapters/sealed.ts'
import type { AlertingTables } from './adapters/tables.ts'
import type { MetricColumns } from './domain/rule.ts'
import type { Wording } from './domain/wording.ts'

/** What the parts of this module share. */
export interface Context {
  readonly database: ScopedDatabase<AlertingTables>
  readonly ids: IdFactory
  readonly clock: Clock
  readonly sealer: Sealer
  readonly wording: Wording
  readonly log: (message: string, fields: Readonly<Record<string, string | number>>) => void
  readonly messageIntervalMs: number
  readonly gatherMs: number
  readonly mostResolved: number
}

/** Rules and channels are the centre's; who may see which alert is decided by the viewer. */
export const SCOPE = systemScope('alerting')

export const METRIC_COLUMNS: MetricColumns = new Map(
  CHIP_METRICS.map(({ name, kind }, index) => [name, { index, counter: kind === 'counter' }]),
)
