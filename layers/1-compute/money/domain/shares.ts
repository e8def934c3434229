import { add, compare, type Decimal, multiply } from './decimal.ts'
import type { MeterKind } from './terms.ts'

/** Somebody's part of what is earned. */
export interface RevenueShare {
  readonly account: 'partner' | 'data-provider'
  readonly ownerId: string
  /** Of what; `null`: of all. */
  readonly kind: MeterKind | null
  readonly model: string | null
  readonly product: string | null
  /** 0.3 is three tenths; at most 6 digits behind the point. */
  readonly share: Decimal
  readonly validFrom: Date
  readonly validTo: Date | null
}

export interface SharePart {
  readonly account: RevenueShare['account']
  readonly ownerId: string
  readonly amount: Decimal
}

interface Earned {
  readonly kind: MeterKind
  readonly model: string | null
  readonly product: string | null
  readonly amount: Decimal
}

/** Every share that fits counts, also of the same owner; the rest stays with the operator. */
export function partsOf(shares: readonly RevenueShare[], earned: Earned, at: Date): SharePart[] {
  const fits = (share: RevenueShare) =>
    (share.kind ?? earned.kind) === earned.kind &&
    (share.model === null || share.model === earned.model) &&
    (share.product === null || share.product === earned.product) &&
    share.validFrom <= at &&
    (share.validTo === null || at < share.validTo)
  return shares
    .filter(fits)
    .map(({ account, ownerId, share }) => ({ account, ownerId, amount: multiply(earned.amount, share) }))
}

/** Whether shares that may meet in one event could give away more than everything. */
export function giveTooMuch(shares: readonly RevenueShare[], next: RevenueShare): boolean {
  const meets = (left: string | null, right: string | null) => left === null || right === null || left === right
  const before = (left: RevenueShare, right: RevenueShare) => left.validTo !== null && left.validTo <= right.validFrom
  const total = shares
    .filter((share) => meets(share.kind, next.kind) && meets(share.model, next.model))
    .filter((share) => meets(share.product, next.product) && !before(share, next) && !before(next, share))
    .reduce((sum, { share }) => add(sum, share), next.share)
  return compare(total, '1') > 0
}
