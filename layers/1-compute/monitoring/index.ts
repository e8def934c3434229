export { monitoringMigrations } from './adapters/tables.ts'
export { monitoringErrors } from './errors.ts'
export { createMonitoring, type MonitoringPorts } from './monitoring.ts'
export type { ChipLabels, ChipReading, Gap, Monitoring, Resolution, Series, SeriesPoint } from './ports.ts'
