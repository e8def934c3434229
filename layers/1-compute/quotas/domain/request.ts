import { type Digest, digestOf } from '@medley/kernel'
import { byText, MOST_AMOUNT, QUOTA_LEVELS, QUOTA_RESOURCES, type QuotaLevel, type Want } from './terms.ts'

const LONGEST_TTL_MS = 400 * 86_400_000

/** Wants of the same resource and kind added up, in one fixed order: equal requests become equal values. */
export function addUp(wants: readonly Want[]): readonly Want[] {
  const sums = new Map<string, Want>()
  for (const want of wants) {
    const key = keyOf(want)
    sums.set(key, { ...want, amount: want.amount + (sums.get(key)?.amount ?? 0n) })
  }
  return [...sums].sort(([left], [right]) => byText(left, right)).map(([, want]) => want)
}

/** What makes a repeated request the same: who asks for what, not for how long. */
export function digestOfRequest(chain: Chain, wants: readonly Want[]): Digest {
  return digestOf({ chain, wants: wants.map((want) => ({ ...want, amount: want.amount.toString() })) })
}

export type Chain = Readonly<Partial<Record<QuotaLevel, string>>>

/** The chain with its tenant; `null` when it names another tenant, an unknown level or an empty id. */
export function chainOf(tenantId: string, chain: Chain): Chain | null {
  const whole = { ...chain, tenant: tenantId }
  const sound = Object.entries(whole).every(
    ([level, id]) => QUOTA_LEVELS.some((known) => known === level) && typeof id === 'string' && isId(id),
  )
  return sound && (chain.tenant ?? tenantId) === tenantId ? whole : null
}

/** @returns what is wrong, or `null` */
export function faultOfRequest(request: {
  readonly requestId: string
  readonly wants: readonly Want[]
  readonly ttlMs: number
}): string | null {
  const { requestId, wants, ttlMs } = request
  if (!isId(requestId)) return 'requestId'
  if (!Number.isFinite(ttlMs) || ttlMs < 1 || ttlMs > LONGEST_TTL_MS) return 'ttlMs'
  const at = wants.findIndex((want) => !isWant(want))
  return at < 0 ? null : `wants.${at}`
}

export function isWant({ resource, kind, amount }: Want): boolean {
  const known = QUOTA_RESOURCES.some((each) => each === resource)
  return known && (kind === null || isId(kind)) && amount >= 0n && amount <= MOST_AMOUNT
}

export function keyOf(want: Pick<Want, 'resource' | 'kind'>): string {
  // A kind may contain anything but this character, and `null` is not the empty text.
  return want.kind === null ? want.resource : `${want.resource}\u0000${want.kind}`
}

/** PostgreSQL stores no NUL; nobody needs an id of a kilobyte. */
function isId(text: string): boolean {
  return text.length > 0 && text.length <= 500 && !text.includes('\u0000')
}
