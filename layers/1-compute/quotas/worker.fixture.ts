/**
 * A process that reserves, settles, releases and abandons by a plan that follows from its seed alone, for the test
 * that kills it and for benches: run again, it asks for the very same under the very same request ids.
 */
import { randomBytes } from 'node:crypto'
import { AppError, createIdFactory } from '@medley/kernel'
import { openStore, type StoreConnection } from '@medley/store'
import { createQuotas, type Quotas, type ReserveRequest, type Want } from './index.ts'
import { type PlannedRequest, plannedRequest } from './worker-plan.fixture.ts'

export interface WorkerOrder {
  readonly connection: StoreConnection
  readonly seed: number
  readonly requests: number
  /** How many are under way at a time. */
  readonly concurrency: number
  readonly chains: readonly Pick<ReserveRequest, 'tenantId' | 'chain'>[]
  readonly mostAmount: number
  /** Tell the parent of every acknowledged step. */
  readonly tell: boolean
}

export type WorkerWord =
  | { readonly kind: 'reserved' | 'settled'; readonly requestId: string; readonly id: string }
  | { readonly kind: 'failed'; readonly requestId: string; readonly reason: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly reserved: number; readonly refused: number; readonly tookMs: number }

const say = (word: WorkerWord) => void process.send?.(word)

async function carryOut(quotas: Quotas, plan: PlannedRequest, tell: boolean): Promise<'reserved' | 'refused'> {
  const { requestId, amount } = plan
  const wants = (tokens: bigint): Want[] => [
    { resource: 'tokens', kind: null, amount: tokens },
    { resource: 'requests', kind: null, amount: tokens > 0n ? 1n : 0n },
  ]
  try {
    const { id } = await quotas.reserve({ ...plan, wants: wants(amount) })
    if (tell) say({ kind: 'reserved', requestId, id })
    if (plan.end === 'release') await quotas.release(id)
    if (plan.end === 'settle') {
      await quotas.settle(id, wants(plan.used))
      if (tell) say({ kind: 'settled', requestId, id })
    }
    return 'reserved'
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'quotas.exceeded') {
      say({ kind: 'failed', requestId, reason: String(error) })
    }
    return 'refused'
  }
}

async function main(order: WorkerOrder): Promise<void> {
  const clock = { now: () => Date.now() }
  const ids = createIdFactory(clock, (size) => new Uint8Array(randomBytes(size)))
  const store = openStore({ connection: order.connection, maxConnections: 4 })
  const quotas = createQuotas({ store, clock, ids })
  await store.ping()
  const began = new Promise((resolve) => process.once('message', resolve))
  say({ kind: 'ready' })
  await began
  const startedMs = performance.now()
  const counts = { reserved: 0, refused: 0 }
  let next = 0
  const lane = async () => {
    while (next < order.requests) {
      const plan = plannedRequest(order, next++)
      counts[await carryOut(quotas, plan, order.tell)] += 1
    }
  }
  await Promise.all(Array.from({ length: order.concurrency }, lane))
  say({ kind: 'done', ...counts, tookMs: performance.now() - startedMs })
  await store.close()
  process.disconnect?.()
}

process.once('message', (order: WorkerOrder) => {
  main(order).catch((error: unknown) => {
    say({ kind: 'failed', requestId: '', reason: String(error) })
    process.exitCode = 1
  })
})
