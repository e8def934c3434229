export { alertingMigrations } from './adapters/tables.ts'
export { createAlerting } from './alerting.ts'
export { errors as alertingErrors } from './errors.ts'
export type {
  Alert,
  AlertChannel,
  Alerting,
  AlertingPorts,
  AlertPage,
  AlertRule,
  AlertRuleChange,
  ChannelKind,
  ChipObservation,
  Coded,
  Condition,
  Delivery,
  NewAlertChannel,
  NewAlertRule,
  NodeObservation,
  Observation,
  SendOutcome,
  Viewer,
} from './ports.ts'
