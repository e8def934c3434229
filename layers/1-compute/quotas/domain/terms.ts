/** From the widest to the narrowest; a reservation must fit into every quota on its way. */
export const QUOTA_LEVELS = ['tenant', 'project', 'user', 'key'] as const
export type QuotaLevel = (typeof QUOTA_LEVELS)[number]

/**
 * What is limited, each counted in whole smallest units: micro-CU, cards, tokens, requests, bytes, apps. `cards` may
 * be limited by kind (a product), `tokens` by model.
 */
export const QUOTA_RESOURCES = ['cu', 'cards', 'tokens', 'requests', 'storage', 'apps'] as const
export type QuotaResource = (typeof QUOTA_RESOURCES)[number]

/**
 * Over which time use is added up. `level`: not over time but at a time (cards, storage, concurrent apps): what is
 * settled stays used until it is given back. Windows begin by the clock of the quota's time zone, never sliding.
 */
export const QUOTA_WINDOWS = ['minute', 'day', 'month', 'level'] as const
export type QuotaWindow = (typeof QUOTA_WINDOWS)[number]

export interface Want {
  readonly resource: QuotaResource
  /** Model or product; `null` where it is not known: then it counts in quotas for all kinds together only. */
  readonly kind: string | null
  readonly amount: bigint
}

/** Far beyond any real amount, and far enough below PostgreSQL's bigint for sums of many. */
export const MOST_AMOUNT = 10n ** 17n

/** By text, in the order of code units: the same in every process. */
export function byText(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}
