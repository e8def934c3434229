export { fleetMigrations } from './adapters/tables.ts'
export { fleetErrors } from './errors.ts'
export { type ChipView, createFleet, type Fleet, type NodeView } from './fleet.ts'
export type {
  ChipDriver,
  DriverHost,
  Fact,
  LaunchBinding,
  ParsedOutput,
  PciFunction,
  ProductSheet,
  ToolCommand,
  ToolOutcome,
} from './ports.ts'
