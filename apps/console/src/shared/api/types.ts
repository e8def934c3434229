/** The control API's shapes, taken from the server; types only, so nothing of the server is bundled. */
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

/** A code and its parameters; {@link useCoded} makes the sentence. */
export interface Coded {
  readonly code: string
  readonly params: Readonly<Record<string, string>>
}

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly nextCursor: string | null
}
