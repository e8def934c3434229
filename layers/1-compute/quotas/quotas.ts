import type { Clock, IdFactory } from '@medley/kernel'
import type { Store } from '@medley/store'
import type { QuotaTables } from './adapters/tables.ts'
import { createBatcher } from './batches.ts'
import { type CloseOutcome, closeBatch, expireBatch, forget, type Order } from './closing.ts'
import { listQuotas, removeQuota, setQuota } from './definitions.ts'
import type { Closing } from './domain/close.ts'
import { addUp, isWant } from './domain/request.ts'
import { errors } from './errors.ts'
import type { Quotas, Reservation, ReserveOutcome, ReserveRequest, Settlement } from './ports.ts'
import { type Ask, type Parts, reserveBatch, toAsk } from './reserving.ts'
import { createWindows } from './windows.ts'

export interface QuotasPorts {
  /** With `storeMigrations` and `quotasMigrations` applied. */
  readonly store: Store
  /** Of all processes alike, to well within the shortest `ttlMs`: by it reservations expire and windows begin. */
  readonly clock: Clock
  readonly ids: IdFactory
}

const SWEEP_BATCH = 500

/**
 * Counts and limits what tenants use. Stateless but for caches: any number of processes may share one store.
 *
 * @example
 * const quotas = createQuotas({ store, clock, ids })
 * const chain = { project: 'project_a', key: 'key_a' }
 * const tokens = (amount: bigint) => [{ resource: 'tokens', kind: 'small', amount }] as const
 * const { id } = await quotas.reserve({ requestId, tenantId, chain, wants: tokens(4_096n), ttlMs: 600_000 })
 * await quotas.settle(id, tokens(812n))
 */
export function createQuotas({ store, clock, ids }: QuotasPorts): Quotas {
  const parts: Parts = { database: store.tables<QuotaTables>(), clock, ids, windows: createWindows() }
  const reserves = createBatcher<Ask, ReserveOutcome>({
    work: (asks) => reserveBatch(parts, (tenantIds) => expireBatch(parts, SWEEP_BATCH, tenantIds), asks),
    keyOf: (ask) => `${ask.tenant_id}\u0000${ask.request_id}`,
    isOfOneItem,
  })
  const closings = createBatcher<Order, CloseOutcome>({
    work: (orders) => closeBatch(parts, orders),
    keyOf: (order) => order.reservationId,
    isOfOneItem,
  })

  async function outcomeOf(request: ReserveRequest): Promise<ReserveOutcome> {
    try {
      return await reserves.submit(toAsk(parts, request))
    } catch (error) {
      return { kind: 'refused', error }
    }
  }

  async function reserve(request: ReserveRequest): Promise<Reservation> {
    const outcome = await outcomeOf(request)
    if (outcome.kind === 'refused') throw outcome.error
    return outcome.reservation
  }

  async function close(reservationId: string, closing: Closing): Promise<Settlement> {
    const outcome = await closings.submit({ reservationId, closing })
    if (outcome.kind === 'refused') throw outcome.error
    return outcome.settlement
  }

  return {
    reserve,
    reserveMany: (requests) => Promise.all(requests.map(outcomeOf)),
    settle: async (reservationId, used) => {
      if (!used.every(isWant)) throw errors['request.invalid']({ field: 'used' })
      return await close(reservationId, { kind: 'settle', used: addUp(used) })
    },
    release: async (reservationId) => void (await close(reservationId, { kind: 'release' })),
    giveBack: async (reservationId) => void (await close(reservationId, { kind: 'return' })),
    sweep: async () => {
      let ended = 0
      for (let each = SWEEP_BATCH; each === SWEEP_BATCH; ended += each) {
        each = await expireBatch(parts, SWEEP_BATCH, null)
      }
      await forget(parts, SWEEP_BATCH)
      return ended
    },
    set: (scope, quota) => setQuota(parts, scope, quota),
    remove: (scope, quotaId) => removeQuota(parts, scope, quotaId),
    list: (scope, filter = {}) => listQuotas(parts, scope, filter),
  }
}

/** PostgreSQL's classes 22 and 23: a value it cannot take, a rule of a table that is broken. */
function isOfOneItem(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null
  return typeof code === 'string' && /^2[23]/.test(code)
}
