export type { UsageEvent } from './adapters/rows.ts'
export { supplyMigrations } from './adapters/tables.ts'
export { type CapacityPoint, type CapacityStore, createCapacityStore, type GivenSheet } from './capacity.ts'
export { type Capacity, type CapacitySnapshot, computeCapacity, snapshotsOf } from './domain/capacity.ts'
export type {
  CapacityChip,
  CapacityInput,
  CapacityVendor,
  ChipUsage,
  Sheet,
  SheetOverride,
} from './domain/capacity-input.ts'
export { findSheet, withOverrides } from './domain/sheet.ts'
export { errors as supplyErrors } from './errors.ts'
export type { IngestOutcome, SimulatedChips, SimulatedUse } from './ingest.ts'
export {
  createSupply,
  type SummaryQuery,
  type Supply,
  type SupplyPorts,
  type UsagePage,
  type UsageQuery,
  type UsageSum,
} from './supply.ts'
