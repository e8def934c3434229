/** The control API's shapes, taken from the server; types only, so nothing of the server is bundled. */
import type {
  capacityPoint,
  createdJoinToken,
  metricDefinition,
  newAlertChannel,
  newAlertRule,
  newJoinToken,
} from '@medley/server/fleet-schemas'
import type { Chip } from '@medley/server/schemas'

export type {
  Alert,
  AlertChannel,
  AlertRule,
  AuditEntry,
  Capacity,
  Card,
  ChipEvent,
  FleetCell,
  FleetSummary,
  Gap,
  JoinToken,
  MaintenanceWindow,
  Node,
  NodeTopology,
  Series,
  Vendor,
} from '@medley/server/fleet-schemas'
export type {
  ApiKey,
  AxisScore,
  Chip,
  CreatedApiKey,
  Deployment,
  Model,
  Operation,
  ProvingRecord,
  Revision,
  Session,
  StartupStep,
  Status,
  UsageEvent,
  UsageSummary,
} from '@medley/server/schemas'

type Output<Schema extends { readonly _zod: { readonly output: unknown } }> = Schema['_zod']['output']
type Input<Schema extends { readonly _zod: { readonly input: unknown } }> = Schema['_zod']['input']

export type ChipState = Chip['state']
export type CapacityPoint = Output<typeof capacityPoint>
export type CreatedJoinToken = Output<typeof createdJoinToken>
export type MetricDefinition = Output<typeof metricDefinition>
export type NewJoinToken = Input<typeof newJoinToken>
export type NewAlertRule = Input<typeof newAlertRule>
export type NewAlertChannel = Input<typeof newAlertChannel>

/** A code and its parameters; {@link useCoded} makes the sentence. */
export interface Coded {
  readonly code: string
  readonly params: Readonly<Record<string, string>>
}

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly nextCursor: string | null
}
