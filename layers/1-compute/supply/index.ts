export type { UsageEvent } from './adapters/rows.ts'
export { supplyMigrations } from './adapters/tables.ts'
export { errors as supplyErrors } from './errors.ts'
export type { IngestOutcome } from './ingest.ts'
export {
  createSupply,
  type SummaryQuery,
  type Supply,
  type SupplyPorts,
  type UsagePage,
  type UsageQuery,
  type UsageSum,
} from './supply.ts'
