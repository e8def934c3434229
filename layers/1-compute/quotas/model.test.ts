import { randomBytes } from 'node:crypto'
import { AppError, createIdFactory, type Id, systemScope } from '@medley/kernel'
import { storeMigrations } from '@medley/store'
import { startTestStore, type TestStore } from '@medley/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createQuotas, type Quotas, quotasMigrations, type Want } from './index.ts'
import { createModel, type Model } from './model.fixture.ts'

const START = Date.UTC(2026, 10, 23, 4)
const system = systemScope('test')
let test: TestStore
let nowMs = START
const clock = { now: () => nowMs }
const ids = createIdFactory(clock, (size) => new Uint8Array(randomBytes(size)))

beforeAll(async () => {
  test = await startTestStore(storeMigrations, quotasMigrations)
}, 120_000)
afterAll(() => test?.close())

const LIMITS = [
  { level: 'tenant', subjectId: '', resource: 'tokens', kind: null, window: 'minute', mode: 'hard', limit: 20n },
  { level: 'tenant', subjectId: '', resource: 'tokens', kind: 'x', window: 'minute', mode: 'hard', limit: 12n },
  { level: 'key', subjectId: 'k', resource: 'tokens', kind: null, window: 'minute', mode: 'soft', limit: 5n },
  { level: 'project', subjectId: 'p', resource: 'cards', kind: null, window: 'level', mode: 'hard', limit: 6n },
] as const

const amount = fc.bigInt({ min: 0n, max: 9n })
const target = fc.nat(5)
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('reserve' as const),
      /** Few, so that requests are repeated. */
      request: target,
      inProject: fc.boolean(),
      x: amount,
      y: amount,
      cards: fc.bigInt({ min: 0n, max: 4n }),
      ttlMs: fc.constantFrom(10_000, 90_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      request: target,
      x: amount,
      y: amount,
      cards: amount,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('release', 'giveBack'), request: target }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: -70_000, max: 70_000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sweep' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('limit' as const), quota: fc.nat(3), limit: fc.bigInt(0n, 25n) }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

const wantsOf = (given: { x: bigint; y: bigint; cards: bigint }): Want[] => [
  { resource: 'tokens', kind: 'x', amount: given.x },
  { resource: 'tokens', kind: 'y', amount: given.y },
  { resource: 'cards', kind: 'big', amount: given.cards },
]

async function said(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}

/** The same step on the product and on the model; both answers. */
async function take(each: Step, model: Model, on: Quotas[], tenantId: Id<'tenant'>, known: Map<number, string>) {
  // Whichever process is asked, it is the same.
  const quotas = on[Math.abs(nowMs) % on.length]
  if (quotas === undefined) throw new TypeError('no quotas')
  if (each.kind === 'wait') nowMs += each.ms
  if (each.kind === 'sweep') return [void (await quotas.sweep()), void model.sweep(nowMs)]
  if (each.kind === 'limit') {
    const quota = LIMITS[each.quota]
    if (quota === undefined) return []
    await quotas.set(system, definition(tenantId, { ...quota, limit: each.limit }))
    return [model.setLimit(each.quota, each.limit)]
  }
  if (each.kind === 'reserve') {
    const chain = each.inProject ? { project: 'p', key: 'k' } : { key: 'k' }
    const wants = wantsOf(each)
    const requestId = `r${each.request}`
    const request = { requestId, tenantId, chain, wants, ttlMs: each.ttlMs }
    const real = await said(async () => {
      const reservation = await quotas.reserve(request)
      known.set(each.request, reservation.id)
      return reservation.state
    })
    return [real, model.reserve({ ...request, request: each.request }, nowMs)]
  }
  if (!('request' in each)) return []
  const id = known.get(each.request) ?? 'reservation_none'
  if (each.kind === 'release') return [await said(() => quotas.release(id)), model.release(each.request)]
  if (each.kind === 'giveBack') return [await said(() => quotas.giveBack(id)), model.giveBack(each.request)]
  if (!('cards' in each)) return []
  const settled = await said(async () => {
    const { outcome, overruns } = await quotas.settle(id, wantsOf(each))
    return `${outcome} ${overruns.reduce((sum, overrun) => sum + overrun.amount, 0n)}`
  })
  return [settled, model.settle(each.request, wantsOf(each))]
}

function definition(tenantId: string, quota: Omit<(typeof LIMITS)[number], 'limit'> & { limit: bigint }) {
  const subjectId = quota.subjectId === '' ? tenantId : quota.subjectId
  return { ...quota, tenantId, subjectId, timeZone: 'Asia/Kolkata', warnRatio: 0.8 }
}

describe('against a model in memory', () => {
  it('any order of reserving, settling, waiting, sweeping and changing limits says and counts the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        nowMs = START
        const tenantId = ids.next('tenant')
        const two = [1, 2].map(() => createQuotas({ store: test.store, clock, ids }))
        const model = createModel(LIMITS)
        const quotaIds: string[] = []
        for (const quota of LIMITS) quotaIds.push((await two[0]?.set(system, definition(tenantId, quota)))?.id ?? '')
        const known = new Map<number, string>()
        for (const each of steps) {
          const [real, expected] = await take(each, model, two, tenantId, known)
          expect(real).toEqual(expected)
          const list = (await two[0]?.list(system, { tenantId })) ?? []
          for (const [at, quotaId] of quotaIds.entries()) {
            const found = list.find((quota) => quota.id === quotaId)
            const { used, reserved, overrun } = found ?? {}
            expect({ used, reserved, overrun }).toEqual(model.use(at, nowMs))
          }
        }
      }),
      { numRuns: 30 },
    )
  }, 180_000)
})
