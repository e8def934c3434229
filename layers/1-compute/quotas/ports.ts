import type { Id, Scope } from '@medley/kernel'
import type { QuotaLevel, QuotaResource, QuotaWindow, Want } from './domain/terms.ts'

export { QUOTA_LEVELS, QUOTA_RESOURCES, QUOTA_WINDOWS } from './domain/terms.ts'
export type { QuotaLevel, QuotaResource, QuotaWindow, Want }

export interface Quota {
  readonly id: Id<'quota'>
  readonly tenantId: string
  readonly level: QuotaLevel
  /** Id of the tenant, project, user or key. */
  readonly subjectId: string
  readonly resource: QuotaResource
  /** Model or product; `null`: all together. */
  readonly kind: string | null
  /** Cards, storage and apps are held, so `level`; tokens and requests flow by, so a window of time; CU either. */
  readonly window: QuotaWindow
  /** IANA name, such as `Asia/Shanghai`. */
  readonly timeZone: string
  readonly limit: bigint
  /** `soft`: told, never refused. */
  readonly mode: 'hard' | 'soft'
  /** Share of the limit at which somebody is told, such as 0.8. */
  readonly warnRatio: number
}

export interface QuotaUse extends Quota {
  /** `null` for `level`. */
  readonly windowStart: Date | null
  /** When the window ends; `null` for `level`. */
  readonly windowEnd: Date | null
  /** Settled, within the limit. */
  readonly used: bigint
  readonly reserved: bigint
  /** Settled too late, when the room had gone to others: really used, beyond the limit. */
  readonly overrun: bigint
}

export interface ReserveRequest {
  /** Of the caller's choice, unique within the tenant, such as the id of the request or job. */
  readonly requestId: string
  readonly tenantId: string
  /** Who asks, from the widest to the narrowest. The tenant itself is always part of it. */
  readonly chain: Readonly<Partial<Record<QuotaLevel, string>>>
  /** The most that can be used. */
  readonly wants: readonly Want[]
  /** Milliseconds after which it is free again unless settled: longer than the work can last. */
  readonly ttlMs: number
}

export interface QuotaWarning {
  readonly quotaId: string
  readonly reached: 'warn' | 'soft-limit'
}

export interface Reservation {
  readonly id: Id<'reservation'>
  /** `settled`: this request has been settled before, and is not to be done again. */
  readonly state: 'reserved' | 'settled'
  readonly expiresAt: Date
  /** Quotas that were past their warning share or soft limit with this reservation. */
  readonly warnings: readonly QuotaWarning[]
}

/** What became of one of many: expected refusals are values here. */
export type ReserveOutcome =
  | { readonly kind: 'reserved'; readonly reservation: Reservation }
  | { readonly kind: 'refused'; readonly error: unknown }

export interface Settlement {
  /** `late`: after it had expired or been released; counted all the same. */
  readonly outcome: 'settled' | 'late'
  /** What of a late settlement found no room any more, by hard quota. Empty unless late. */
  readonly overruns: readonly { readonly quotaId: string; readonly amount: bigint }[]
}

/** After any failure whatever was called may be called again with the same arguments: it is done once. */
export interface Quotas {
  /**
   * All wants on all quotas of the chain, or none. It counts in the windows of now, also when settled later. The
   * same `requestId` again returns the same reservation; one that expired or was released is tried anew.
   *
   * @throws AppError `quotas.exceeded` with quota, limit, used, reserved and when the window ends,
   * `quotas.request.differs`, `quotas.request.invalid`
   */
  reserve(request: ReserveRequest): Promise<Reservation>
  /** Many at once, each by itself: outcomes in the order of the requests. */
  reserveMany(requests: readonly ReserveRequest[]): Promise<readonly ReserveOutcome[]>
  /**
   * Turns what was reserved into what was used, the rest is free again. Once: settled again with the same amounts it
   * changes nothing and says the same. Use beyond the reservation is refused: who reserves must reserve the most it
   * can use. After the reservation has ended use is still recorded: see {@link Settlement}.
   *
   * @throws AppError `quotas.reservation.unknown`, `quotas.settle.exceeds`, `quotas.settle.differs`
   */
  settle(reservationId: string, used: readonly Want[]): Promise<Settlement>
  /** Nothing was used. Once. @throws AppError `quotas.reservation.unknown`, `quotas.reservation.settled` */
  release(reservationId: string): Promise<void>
  /**
   * Gives back `level` use, such as of an app that was stopped; by the reservation that took it. Once.
   *
   * @throws AppError `quotas.reservation.unknown`, `quotas.reservation.unsettled`
   */
  giveBack(reservationId: string): Promise<void>
  /** Ends reservations past their time and forgets what is long over. @returns how many it ended */
  sweep(): Promise<number>

  /**
   * One quota for each subject, resource, kind, window and mode: set again, its limit, zone and warning share change
   * and its use stays. A new one counts from now on; so does one with a new zone, as its windows are others.
   *
   * @throws AppError `quotas.quota.invalid`
   */
  set(scope: Scope, quota: Omit<Quota, 'id'>): Promise<Quota>
  /** @throws AppError `quotas.quota.unknown` */
  remove(scope: Scope, quotaId: string): Promise<void>
  /** Every quota of the scope with its use in the window of now. A scope of a project sees that project's own. */
  list(scope: Scope, filter?: QuotaFilter): Promise<readonly QuotaUse[]>
}

export interface QuotaFilter {
  readonly tenantId?: string
  readonly level?: QuotaLevel
  readonly subjectId?: string
}
