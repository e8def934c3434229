import { randomBytes } from 'node:crypto'
import { AppError, createIdFactory, type Id, systemScope, type TenantScope } from '@medley/kernel'
import { storeMigrations } from '@medley/store'
import { startTestStore, type TestStore } from '@medley/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createQuotas, type Quota, type Quotas, quotasMigrations, type ReserveRequest, type Want } from './index.ts'

const START = Date.UTC(2026, 10, 23, 4)
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const system = systemScope('test')
let test: TestStore
let quotas: Quotas
let elsewhere: Quotas
let nowMs = START
const clock = { now: () => nowMs }
const ids = createIdFactory(clock, (size) => new Uint8Array(randomBytes(size)))
let tenantId: Id<'tenant'>

beforeAll(async () => {
  test = await startTestStore(storeMigrations, quotasMigrations)
  quotas = createQuotas({ store: test.store, clock, ids })
  elsewhere = createQuotas({ store: test.store, clock, ids })
}, 120_000)
afterAll(() => test?.close())
beforeEach(() => {
  nowMs = START
  tenantId = ids.next('tenant')
})

const tokens = (amount: bigint, kind: string | null = null): Want => ({ resource: 'tokens', kind, amount })
const cards = (amount: bigint): Want => ({ resource: 'cards', kind: null, amount })

function ask(wants: readonly Want[], fields: Partial<ReserveRequest> = {}): ReserveRequest {
  return { requestId: ids.next('req'), tenantId, chain: { project: 'p', key: 'k' }, wants, ttlMs: MINUTE_MS, ...fields }
}

function set(fields: Partial<Quota> = {}): Promise<Quota> {
  return quotas.set(system, {
    tenantId,
    level: 'tenant',
    subjectId: fields.level === undefined ? tenantId : '',
    resource: 'tokens',
    kind: null,
    window: 'day',
    timeZone: 'Asia/Shanghai',
    limit: 100n,
    mode: 'hard',
    warnRatio: 0.8,
    ...fields,
  })
}

async function use(level: Quota['level'] = 'tenant') {
  const [found] = await quotas.list(system, { tenantId, level })
  return found && { used: found.used, reserved: found.reserved, overrun: found.overrun }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'done',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  )
}

interface Told {
  type: string
  payload: { quotaId?: string; reached?: string; taken?: string; overruns?: unknown }
}
async function told(): Promise<readonly Told[]> {
  const { rows } = await test.store.tables().run(system, (tx) =>
    sql<Told>`select type, payload from outbox_events
      where tenant_id = ${tenantId} and type not like 'quotas.quota.%' order by sequence`.execute(tx),
  )
  return rows
}

describe('reserve', () => {
  it('takes from every quota of the chain, or from none', async () => {
    await set()
    await set({ level: 'project', subjectId: 'p', limit: 60n })
    await set({ level: 'key', subjectId: 'k', limit: 1_000n })
    await set({ level: 'key', subjectId: 'another', limit: 0n })
    await quotas.reserve(ask([tokens(50n)]))
    expect(await codeOf(quotas.reserve(ask([tokens(11n)])))).toBe('quotas.exceeded')
    expect(await Promise.all([use('tenant'), use('project')])).toMatchObject([{ reserved: 50n }, { reserved: 50n }])
    await quotas.reserve(ask([tokens(10n)]))
    await quotas.reserve(ask([tokens(40n)], { chain: { project: 'other', key: 'k' } }))
    expect(await codeOf(quotas.reserve(ask([tokens(1n)], { chain: {} })))).toBe('quotas.exceeded')
    expect(await use()).toEqual({ used: 0n, reserved: 100n, overrun: 0n })
  })

  it('says which quota, how full, and when it begins anew', async () => {
    const quota = await set({ limit: 10n })
    await quotas.settle((await quotas.reserve(ask([tokens(4n)]))).id, [tokens(4n)])
    await quotas.reserve(ask([tokens(3n)]))
    const refused: unknown = await quotas.reserve(ask([tokens(4n)])).catch((error: unknown) => error)
    expect(refused).toMatchObject({
      code: 'quotas.exceeded',
      params: {
        quotaId: quota.id,
        level: 'tenant',
        asked: '4',
        limit: '10',
        used: '4',
        reserved: '3',
        windowEnd: '2026-11-23T16:00:00.000Z',
      },
    })
  })

  it('counts all wants together, and kinds in their own quotas and in those for all', async () => {
    await set({ limit: 10n })
    await set({ limit: 4n, kind: 'large' })
    await set({ resource: 'requests', limit: 2n, window: 'minute' })
    const request: Want = { resource: 'requests', kind: null, amount: 1n }
    expect(await codeOf(quotas.reserve(ask([tokens(3n, 'large'), tokens(2n, 'large'), request])))).toBe(
      'quotas.exceeded',
    )
    await quotas.reserve(ask([tokens(4n, 'large'), tokens(6n, 'small'), request]))
    expect(await codeOf(quotas.reserve(ask([tokens(1n), request])))).toBe('quotas.exceeded')
    await quotas.reserve(ask([request]))
    expect(await codeOf(quotas.reserve(ask([request])))).toBe('quotas.exceeded')
  })

  it('is the same for the same request, whatever process asks, and an error for another one of its id', async () => {
    await set()
    const request = ask([tokens(60n), tokens(0n, 'x')])
    const both = await Promise.all([quotas.reserve(request), elsewhere.reserve(request), quotas.reserve(request)])
    expect(new Set(both.map((each) => each.id)).size).toBe(1)
    expect(await use()).toMatchObject({ reserved: 60n })
    expect(await codeOf(elsewhere.reserve({ ...request, wants: [tokens(59n)] }))).toBe('quotas.request.differs')
    expect(await codeOf(elsewhere.reserve({ ...request, chain: {} }))).toBe('quotas.request.differs')
    await quotas.settle(both[0].id, [tokens(5n)])
    expect(await elsewhere.reserve(request)).toMatchObject({ id: both[0].id, state: 'settled' })
    expect(await use()).toEqual({ used: 5n, reserved: 0n, overrun: 0n })
  })

  it('decides many at once, each by itself', async () => {
    await set({ limit: 5n })
    const requests = [3n, 3n, 2n, 1n].map((amount) => ask([tokens(amount)]))
    const outcomes = await quotas.reserveMany([...requests, ask([tokens(-1n)]), ask([], { ttlMs: 0 })])
    expect(outcomes.map((each) => (each.kind === 'refused' ? (each.error as AppError).code : each.kind))).toEqual([
      'reserved',
      'quotas.exceeded',
      'reserved',
      'quotas.exceeded',
      'quotas.request.invalid',
      'quotas.request.invalid',
    ])
  })

  it('is free where nobody has set a quota, and nowhere where the limit is nothing', async () => {
    await quotas.reserve(ask([tokens(10n ** 17n)]))
    await set({ limit: 0n })
    expect(await codeOf(quotas.reserve(ask([tokens(1n)])))).toBe('quotas.exceeded')
    await quotas.reserve(ask([tokens(0n)]))
  })
})

describe('settle, release, give back', () => {
  it('settles once: the rest is free again, the same again is nothing, other amounts are refused', async () => {
    await set()
    const { id } = await quotas.reserve(ask([tokens(80n)]))
    expect(await codeOf(quotas.settle(id, [tokens(81n)]))).toBe('quotas.settle.exceeds')
    expect(await codeOf(quotas.settle(id, [tokens(1n, 'unasked')]))).toBe('quotas.settle.exceeds')
    const all = await Promise.all([quotas, elsewhere, quotas].map((each) => each.settle(id, [tokens(30n)])))
    expect(all).toEqual(all.map(() => ({ outcome: 'settled', overruns: [] })))
    expect(await codeOf(quotas.settle(id, [tokens(31n)]))).toBe('quotas.settle.differs')
    expect(await codeOf(quotas.release(id))).toBe('quotas.reservation.settled')
    expect(await use()).toEqual({ used: 30n, reserved: 0n, overrun: 0n })
    expect(await codeOf(quotas.settle('reservation_none', []))).toBe('quotas.reservation.unknown')
  })

  it('releases once, and lets a released request be tried anew', async () => {
    await set()
    const request = ask([tokens(100n)])
    const { id } = await quotas.reserve(request)
    await Promise.all([quotas.release(id), elsewhere.release(id)])
    expect(await use()).toMatchObject({ reserved: 0n })
    expect(await quotas.reserve(request)).toMatchObject({ id, state: 'reserved' })
    expect(await use()).toMatchObject({ reserved: 100n })
  })

  it('holds a level until it is given back, once', async () => {
    await set({ resource: 'cards', window: 'level', limit: 8n })
    const { id } = await quotas.reserve(ask([cards(8n)]))
    expect(await codeOf(quotas.giveBack(id))).toBe('quotas.reservation.unsettled')
    await quotas.settle(id, [cards(6n)])
    nowMs += 400 * DAY_MS
    expect(await codeOf(quotas.reserve(ask([cards(3n)])))).toBe('quotas.exceeded')
    await Promise.all([quotas.giveBack(id), elsewhere.giveBack(id)])
    await quotas.giveBack(id)
    expect(await use()).toEqual({ used: 0n, reserved: 0n, overrun: 0n })
    await quotas.settle(id, [cards(6n)])
    expect(await use()).toEqual({ used: 0n, reserved: 0n, overrun: 0n })
  })

  it('counts in the window of the reservation, also when settled in the next', async () => {
    await set()
    nowMs = Date.UTC(2026, 10, 23, 15, 59, 59)
    const { id } = await quotas.reserve(ask([tokens(70n)]))
    nowMs += 2_000
    await quotas.reserve(ask([tokens(100n)]))
    await quotas.settle(id, [tokens(70n)])
    expect(await use()).toEqual({ used: 0n, reserved: 100n, overrun: 0n })
    // The clock is set back: the day before is what it was.
    nowMs -= 2_000
    expect(await use()).toEqual({ used: 70n, reserved: 0n, overrun: 0n })
    expect(await codeOf(quotas.reserve(ask([tokens(31n)])))).toBe('quotas.exceeded')
  })
})

describe('reservations past their time', () => {
  it('make room for the next, before any sweep', async () => {
    await set()
    await quotas.reserve(ask([tokens(100n)]))
    nowMs += MINUTE_MS - 1
    expect(await codeOf(quotas.reserve(ask([tokens(1n)])))).toBe('quotas.exceeded')
    nowMs += 1
    await elsewhere.reserve(ask([tokens(100n)]))
    expect(await use()).toMatchObject({ reserved: 100n })
  })

  it('are swept once, by whoever is first, and settled in time before the sweep they count as ever', async () => {
    await set()
    const { id } = await quotas.reserve(ask([tokens(10n)]))
    for (let n = 0; n < 5; n += 1) await quotas.reserve(ask([tokens(10n)]))
    nowMs += MINUTE_MS
    expect(await quotas.settle(id, [tokens(10n)])).toEqual({ outcome: 'settled', overruns: [] })
    const swept = await Promise.all([quotas.sweep(), elsewhere.sweep(), quotas.sweep()])
    expect(swept.reduce((sum, each) => sum + each)).toBeGreaterThanOrEqual(5)
    expect(await use()).toEqual({ used: 10n, reserved: 0n, overrun: 0n })
  })

  it('settled late they fit where there is room, else they are told as overrun, never lost', async () => {
    const quota = await set()
    const key = await set({ level: 'key', subjectId: 'k', limit: 80n, mode: 'soft' })
    const first = await quotas.reserve(ask([tokens(50n)]))
    const second = await quotas.reserve(ask([tokens(50n)]))
    nowMs += MINUTE_MS
    await quotas.sweep()
    expect(await quotas.settle(first.id, [tokens(20n)])).toEqual({ outcome: 'late', overruns: [] })
    await quotas.reserve(ask([tokens(50n)], { ttlMs: DAY_MS }))
    const overruns = [{ quotaId: quota.id, amount: 15n }]
    expect(await quotas.settle(second.id, [tokens(45n)])).toEqual({ outcome: 'late', overruns })
    expect(await elsewhere.settle(second.id, [tokens(45n)])).toEqual({ outcome: 'late', overruns })
    expect(await use()).toEqual({ used: 50n, reserved: 50n, overrun: 15n })
    expect(await use('key')).toEqual({ used: 65n, reserved: 50n, overrun: 0n })
    expect((await told()).filter((each) => each.type === 'quotas.overrun.recorded')).toMatchObject([
      { payload: { overruns: [{ quotaId: quota.id, amount: '15' }] } },
    ])
    expect(key.mode).toBe('soft')
    // What was used beyond the limit leaves no room either.
    await set({ limit: 120n })
    expect(await codeOf(quotas.reserve(ask([tokens(6n)])))).toBe('quotas.exceeded')
    await quotas.reserve(ask([tokens(5n)]))
  })

  it('settled late together share what room there is', async () => {
    await set()
    const late = await Promise.all([1, 2, 3].map(() => quotas.reserve(ask([tokens(30n)]))))
    nowMs += MINUTE_MS
    await quotas.reserve(ask([tokens(60n)], { ttlMs: DAY_MS }))
    await Promise.all(late.map(({ id }, at) => (at % 2 === 0 ? quotas : elsewhere).settle(id, [tokens(30n)])))
    expect(await use()).toEqual({ used: 40n, reserved: 60n, overrun: 50n })
  })

  it('are forgotten when long over, but not what is still held', async () => {
    await set({ resource: 'cards', window: 'level', limit: 8n })
    await set({ window: 'minute' })
    const held = await quotas.reserve(ask([cards(2n)]))
    const over = await quotas.reserve(ask([tokens(2n)]))
    await quotas.settle(held.id, [cards(2n)])
    await quotas.settle(over.id, [tokens(2n)])
    nowMs += 41 * DAY_MS
    await quotas.sweep()
    expect(await codeOf(quotas.settle(over.id, [tokens(2n)]))).toBe('quotas.reservation.unknown')
    await quotas.giveBack(held.id)
    const { rows } = await test.store
      .tables()
      .run(system, (tx) =>
        sql<{ used: string }>`select used from quota_counters where tenant_id = ${tenantId}`.execute(tx),
      )
    expect(rows).toEqual([{ used: '0' }])
  })
})

describe('warnings', () => {
  it('come with each reservation past the share, and are told once per window', async () => {
    const hard = await set({ warnRatio: 0.5 })
    // Ids sort by time, and quotas are told of in that order.
    nowMs += 1
    const soft = await set({ mode: 'soft', limit: 60n, warnRatio: 0.9 })
    const of = async (amount: bigint) => (await quotas.reserve(ask([tokens(amount)]))).warnings
    expect(await of(49n)).toEqual([])
    expect(await of(1n)).toEqual([{ quotaId: hard.id, reached: 'warn' }])
    expect(await of(20n)).toHaveLength(2)
    expect(await of(5n)).toContainEqual({ quotaId: soft.id, reached: 'soft-limit' })
    const once = [
      { type: 'quotas.threshold.reached', payload: { quotaId: hard.id, reached: 'warn', taken: '50' } },
      { type: 'quotas.threshold.reached', payload: { quotaId: soft.id, reached: 'soft-limit', taken: '70' } },
    ]
    expect(await told()).toMatchObject(once)
    nowMs += DAY_MS
    await quotas.reserveMany([1, 2, 3].map(() => ask([tokens(30n)])))
    expect((await told()).slice(2)).toMatchObject([
      { payload: { quotaId: hard.id, reached: 'warn', taken: '60' } },
      { payload: { quotaId: soft.id, reached: 'warn', taken: '60' } },
      { payload: { quotaId: soft.id, reached: 'soft-limit', taken: '90' } },
    ])
  })
})

describe('quotas themselves', () => {
  const scopeOf = (id: Id<'tenant'>, projectId: Id<'project'> | null = null): TenantScope => ({
    kind: 'tenant',
    tenantId: id,
    projectId,
    actor: { kind: 'user', id: 'user_a' },
  })

  it('are one for each subject, resource, kind, window and mode, and keep their use', async () => {
    const first = await set()
    await quotas.reserve(ask([tokens(70n)]))
    const again = await set({ limit: 50n })
    expect(again.id).toBe(first.id)
    expect(await codeOf(quotas.reserve(ask([tokens(1n)])))).toBe('quotas.exceeded')
    await quotas.remove(system, first.id)
    expect(await codeOf(quotas.remove(system, first.id))).toBe('quotas.quota.unknown')
    expect(await quotas.list(system, { tenantId })).toEqual([])
    await quotas.reserve(ask([tokens(1_000n)]))
    await set()
    expect(await use()).toMatchObject({ reserved: 70n })
  })

  it('are refused with the reason, field by field', async () => {
    const bad = { subjectId: 'x', resource: 'cards', timeZone: 'Mars', limit: -1n, warnRatio: 0 } as const
    const error: unknown = await set(bad).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'quotas.quota.invalid' })
    const paths = error instanceof AppError ? error.errors.map((each) => each.path) : []
    expect(paths).toEqual(['subjectId', 'window', 'timeZone', 'limit', 'warnRatio'])
    expect(await codeOf(set({ window: 'level' }))).toBe('quotas.quota.invalid')
  })

  it('are seen and changed by their own tenant only', async () => {
    const quota = await set()
    const project = ids.next('project')
    await set({ level: 'project', subjectId: project })
    const other = scopeOf(ids.next('tenant'))
    expect(await quotas.list(other)).toEqual([])
    expect(await codeOf(quotas.remove(other, quota.id))).toBe('quotas.quota.unknown')
    expect(await codeOf(quotas.set(other, quota))).toBe('quotas.quota.invalid')
    expect(await quotas.list(scopeOf(tenantId))).toHaveLength(2)
    expect(await quotas.list(scopeOf(tenantId, project))).toMatchObject([{ level: 'project', subjectId: project }])
    await quotas.remove(scopeOf(tenantId), quota.id)
  })
})
