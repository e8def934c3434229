export { quotasMigrations } from './adapters/tables.ts'
export { errors as quotasErrors } from './errors.ts'
export {
  QUOTA_LEVELS,
  QUOTA_RESOURCES,
  QUOTA_WINDOWS,
  type Quota,
  type QuotaFilter,
  type QuotaLevel,
  type QuotaResource,
  type Quotas,
  type QuotaUse,
  type QuotaWarning,
  type QuotaWindow,
  type Reservation,
  type ReserveOutcome,
  type ReserveRequest,
  type Settlement,
  type Want,
} from './ports.ts'
export { createQuotas, type QuotasPorts } from './quotas.ts'
