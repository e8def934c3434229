/**
 * A process that holds, captures, releases, abandons, records and rates by a plan that follows from its seed alone,
 * for the test that kills it and for benches: run again, it asks for the very same under the very same keys.
 */
import { openStore, type StoreConnection } from '@medley/store'
import { createMoney, type Money } from './index.ts'
import { anEvent, clock, ids } from './money.fixture.ts'

export interface WorkerOrder {
  readonly connection: StoreConnection
  readonly seed: number
  readonly steps: number
  /** How many are under way at a time. */
  readonly concurrency: number
  readonly tenants: readonly string[]
}

export type WorkerWord =
  | { readonly kind: 'captured'; readonly id: string; readonly charged: string }
  | { readonly kind: 'recorded'; readonly sourceKey: string }
  | { readonly kind: 'refused' | 'released' | 'abandoned' | 'ready' | 'done' }
  | { readonly kind: 'failed'; readonly reason: string }

const say = (word: WorkerWord) => void process.send?.(word)

/** A 32-bit finaliser (MurmurHash3's): neighbours become unlike. */
function mix(value: number): number {
  let hash = value | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** One step of the plan; amounts are in cents, and so is the price of a use. */
async function carryOut(money: Money, order: WorkerOrder, n: number): Promise<WorkerWord> {
  const draw = (salt: number, sides: number) => mix(order.seed * 7_919 + n * 31 + salt * 1_000_003) % sides
  const tenantId = order.tenants[draw(1, order.tenants.length)] ?? ''
  const requestId = `w${order.seed}-${n}`
  const cents = 1 + draw(2, 300)
  const uses = (part: string, quantity: number) =>
    anEvent(tenantId, { sourceKey: `${requestId} ${part}`, kind: 'data-uses', quantity: BigInt(quantity) })
  const lot = draw(3, 20)
  if (lot === 0) {
    const event = uses('unheld', cents)
    await money.record([event])
    await money.rate()
    return { kind: 'recorded', sourceKey: event.sourceKey }
  }
  // Some outlive their time at once, so that freeing and capturing meet.
  const ttlMs = draw(4, 10) === 0 ? 1 : 600_000
  const amount = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
  const held = await money.hold({ tenantId, requestId, amount, ttlMs })
  if (held.kind === 'refused') return { kind: 'refused' }
  if (held.kind === 'over' && held.state !== 'captured') return { kind: 'abandoned' }
  if (lot < 3) return { kind: 'abandoned' }
  if (lot < 6) {
    await money.release(held.id)
    return { kind: 'released' }
  }
  const used = draw(5, cents + 1)
  const first = draw(6, used + 1)
  const { charged } = await money.capture(held.id, [uses('input', first), uses('output', used - first)])
  return { kind: 'captured', id: held.id, charged }
}

async function main(order: WorkerOrder): Promise<void> {
  const store = openStore({ connection: order.connection, maxConnections: 4 })
  const money = createMoney({ store, clock, ids })
  await store.ping()
  const began = new Promise((resolve) => process.once('message', resolve))
  say({ kind: 'ready' })
  await began
  let next = 0
  const lane = async () => {
    while (next < order.steps) {
      const n = next++
      say(
        await carryOut(money, order, n).catch((error: unknown) => ({ kind: 'failed', reason: String(error) }) as const),
      )
    }
  }
  await Promise.all(Array.from({ length: order.concurrency }, lane))
  say({ kind: 'done' })
  await store.close()
  process.disconnect?.()
}

process.once('message', (order: WorkerOrder) => {
  main(order).catch((error: unknown) => {
    say({ kind: 'failed', reason: String(error) })
    process.exitCode = 1
  })
})
