import type { ReserveRequest } from './index.ts'
import type { WorkerOrder } from './worker.fixture.ts'

export interface PlannedRequest extends Pick<ReserveRequest, 'requestId' | 'tenantId' | 'chain' | 'ttlMs'> {
  readonly amount: bigint
  readonly end: 'settle' | 'release' | 'abandon'
  /** Of `amount`, where it is settled. */
  readonly used: bigint
}

/** The `n`th request of a worker: the same for the same seed, in whatever process and life. */
export function plannedRequest(order: Pick<WorkerOrder, 'seed' | 'chains' | 'mostAmount'>, n: number): PlannedRequest {
  const draw = (salt: number) => mix(order.seed * 7_919 + n * 31 + salt * 1_000_003)
  const chain = order.chains[draw(1) % order.chains.length]
  if (chain === undefined) throw new TypeError('no chains')
  const amount = 1 + (draw(2) % order.mostAmount)
  const lot = draw(3) % 20
  const end = lot < 2 ? 'release' : lot < 4 ? 'abandon' : 'settle'
  return {
    ...chain,
    requestId: `w${order.seed}-${n}`,
    amount: BigInt(amount),
    end,
    used: BigInt(draw(4) % (amount + 1)),
    // Some outlive their time at once, so that freeing and settling meet.
    ttlMs: draw(5) % 10 === 0 ? 1 : 600_000,
  }
}

/** A 32-bit finaliser (MurmurHash3's): neighbours become unlike. */
function mix(value: number): number {
  let hash = value | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
