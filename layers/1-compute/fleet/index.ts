export { fleetMigrations } from './adapters/tables.ts'
export { fleetErrors } from './errors.ts'
export { type FleetEvidenceCode, fleetEvidence } from './evidence.ts'
export { createFleet, type FleetPolicy, type FleetPorts, type OpenedFleet } from './fleet.ts'
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
export {
  type CardView,
  CHIP_STATES,
  type ChipEvent,
  type ChipState,
  type ChipView,
  type Coded,
  type CordonState,
  type Fleet,
  type FleetCell,
  type FleetFilter,
  type FleetSummary,
  type MaintenanceWindow,
  type NodeEnrolment,
  type NodeState,
  type NodeView,
  type Place,
  type Taint,
  type Viewer,
} from './views.ts'
