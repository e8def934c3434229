export { type AuditPorts, createAudit } from './audit.ts'
export { errors as auditErrors } from './errors.ts'
export type { Audit, AuditEntry, NewAuditEntry } from './ports.ts'
export { auditMigrations } from './tables.ts'
