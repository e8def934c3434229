import { randomBytes } from 'node:crypto'
import { createIdFactory, type Id, systemScope, type TenantScope } from '@medley/kernel'
import { storeMigrations } from '@medley/store'
import { startTestStore, type TestStore } from '@medley/testkit'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSupply, type Supply, supplyMigrations } from './index.ts'
import type { UsageRecord } from './protocol.ts'

let test: TestStore
let supply: Supply
const clock = { now: () => Date.now() }
const ids = createIdFactory(clock, (size) => new Uint8Array(randomBytes(size)))
const system = systemScope('test')

beforeAll(async () => {
  test = await startTestStore(storeMigrations, supplyMigrations)
  supply = createSupply({ store: test.store, ids, clock })
}, 120_000)
afterAll(() => test?.close())

const DAY = Date.UTC(2026, 10, 23)
const WHOLE = { from: new Date(0), to: new Date(Date.UTC(2100, 0)) }

function record(fields: Partial<UsageRecord> = {}): UsageRecord {
  return {
    requestId: ids.next('req'),
    tenantId: 'tenant_default',
    projectId: 'project_default',
    keyId: 'key_a',
    endpoint: '/v1/chat/completions',
    model: 'small',
    revisionId: null,
    replicaId: null,
    chipUuids: ['chip-0'],
    outcome: 'completed',
    httpStatus: 200,
    errorCode: null,
    stream: false,
    promptTokens: 10,
    cachedTokens: 0,
    completionTokens: 5,
    startedAt: DAY + 1_000,
    endedAt: DAY + 1_250,
    timeToFirstTokenMs: 31.5,
    appVersionId: null,
    datasetVersionId: null,
    contractId: null,
    ...fields,
  }
}

function tenantScope(projectId: Id<'project'> | null = null): TenantScope & { tenantId: Id<'tenant'> } {
  return { kind: 'tenant', tenantId: ids.next('tenant'), projectId, actor: { kind: 'user', id: 'u' } }
}

async function rejects(): Promise<{ raw: string; reason: string }[]> {
  return test.store
    .tables<{ usage_rejects: { raw: string; reason: string } }>()
    .run(system, (tx) => tx.selectFrom('usage_rejects').selectAll().execute())
}

describe('ingest', () => {
  it('keeps every field, unknown ones as null', async () => {
    const given = record({
      promptTokens: null,
      outcome: 'interrupted',
      contractId: 'c',
      startedAt: DAY,
      endedAt: DAY - 5,
    })
    expect(await supply.ingest([given])).toMatchObject({ accepted: 1, duplicate: 0, rejected: 0 })
    const { startedAt, endedAt, ...same } = given
    expect(await supply.record(system, given.requestId)).toMatchObject({
      ...same,
      startedAt: new Date(startedAt),
      occurredAt: new Date(endedAt),
      durationMs: null,
      rateVersion: null,
      correctionOf: null,
    })
  })

  it('sums the same whatever the batching, the repetition and the order', async () => {
    const tokens = fc.option(fc.nat(1_000_000), { nil: null })
    const request = fc.record({
      promptTokens: tokens,
      completionTokens: tokens,
      model: fc.constantFrom('a', 'b', null),
    })
    const plan = fc.array(fc.record({ request, sends: fc.integer({ min: 1, max: 3 }), at: fc.nat() }), {
      maxLength: 30,
    })
    await fc.assert(
      fc.asyncProperty(plan, fc.integer({ min: 1, max: 9 }), async (requests, batchSize) => {
        const scope = tenantScope()
        const made = requests.map((each) => ({
          ...each,
          record: record({ ...each.request, tenantId: scope.tenantId }),
        }))
        const sent = made.flatMap((each) => Array.from({ length: each.sends }, (_, turn) => ({ ...each, turn })))
        sent.sort((left, right) => ((left.at * (left.turn + 1)) % 101) - ((right.at * (right.turn + 1)) % 101))
        const batches: UsageRecord[][] = []
        for (let from = 0; from < sent.length; from += batchSize) {
          batches.push(sent.slice(from, from + batchSize).map((each) => each.record))
        }
        const outcomes = await Promise.all(batches.map((batch) => supply.ingest(batch)))
        expect(outcomes.reduce((sum, each) => sum + each.accepted, 0)).toBe(requests.length)
        expect(outcomes.reduce((sum, each) => sum + each.duplicate, 0)).toBe(sent.length - requests.length)

        const sums = await supply.summary(scope, { ...WHOLE, groupBy: 'model' })
        for (const model of ['a', 'b', null]) {
          const of = requests.filter((each) => each.request.model === model).map((each) => each.request)
          const sum = sums.find((each) => each.group === model)
          expect(sum?.requests ?? 0).toBe(of.length)
          expect(sum?.promptTokens ?? 0).toBe(of.reduce((total, each) => total + (each.promptTokens ?? 0), 0))
          expect(sum?.completionTokens ?? 0).toBe(of.reduce((total, each) => total + (each.completionTokens ?? 0), 0))
          const unknown = of.filter((each) => each.promptTokens === null || each.completionTokens === null)
          expect(sum?.unknownRequests ?? 0).toBe(unknown.length)
        }
      }),
      { numRuns: 15 },
    )
  }, 120_000)

  it('puts what it cannot store into quarantine and stores the rest', async () => {
    const good = record()
    const bad = [
      { requestId: 'req_half' },
      'no object',
      record({ promptTokens: -1 }),
      record({ errorCode: 'a\u0000b' }),
      record({ endedAt: 9e15 }),
      record({ httpStatus: 2 ** 40 }),
      record({ 'odd\u0000name': 1, tenantId: '\u0000' } as Partial<UsageRecord>),
    ]
    expect(await supply.ingest([...bad, good])).toMatchObject({ accepted: 1, duplicate: 0, rejected: bad.length })
    expect(await supply.ingest(bad)).toMatchObject({ accepted: 0, duplicate: 0, rejected: bad.length })
    const kept = await rejects()
    expect(kept.map((each) => JSON.parse(each.raw))).toEqual(expect.arrayContaining(bad))
    expect(kept).toHaveLength(bad.length)
    expect(kept.every((each) => each.reason.length > 0)).toBe(true)
    expect(await supply.record(system, good.requestId)).not.toBeNull()
  })

  it('refuses usage of chips without hardware, and tells of it once', async () => {
    const simulatedChips = async (uuids: readonly string[]) => new Set(uuids.filter((uuid) => uuid.startsWith('sim-')))
    const guarded = createSupply({ store: test.store, ids, clock, simulatedChips })
    const [good, odd] = [record({ chipUuids: ['real-1'] }), record({ chipUuids: ['real-1', 'sim-1'] })]
    const outcome = await guarded.ingest([good, odd])
    expect(outcome).toMatchObject({ accepted: 1, rejected: 1 })
    const { requestId, keyId, tenantId } = odd
    const use = { code: 'supply.record.simulated', requestId, keyId, tenantId, chipUuid: 'sim-1' }
    expect(outcome.simulated).toEqual([use])
    expect(await guarded.ingest([good, odd])).toEqual({ accepted: 0, duplicate: 1, rejected: 1, simulated: [] })
    expect(await guarded.record(system, odd.requestId)).toBeNull()
  })

  it('takes a batch of thousands in one transaction, and tells of it by one event', async () => {
    const scope = tenantScope()
    const batch = Array.from({ length: 2_500 }, () => record({ tenantId: scope.tenantId }))
    expect(await supply.ingest(batch)).toMatchObject({ accepted: 2_500 })
    const events = await test.store
      .tables<{ outbox_events: { type: string; payload: { usageIds: string[] }; sequence: string } }>()
      .run(system, (tx) =>
        tx
          .selectFrom('outbox_events')
          .select('payload')
          .where('type', '=', 'supply.usage.recorded')
          .orderBy('sequence', 'desc')
          .execute(),
      )
    expect(events[0]?.payload.usageIds).toHaveLength(2_500)
    expect(await supply.summary(scope, { ...WHOLE, groupBy: 'key' })).toMatchObject([{ requests: 2_500 }])
  }, 120_000)

  it('survives workers that hand in the same requests at the same time', async () => {
    const batch = Array.from({ length: 60 }, () => record())
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, (_, turn) => supply.ingest(turn % 2 ? batch : batch.toReversed())),
    )
    expect(outcomes.reduce((sum, each) => sum + each.accepted, 0)).toBe(batch.length)
  })
})

describe('usage events', () => {
  it('cannot be changed, deleted or truncated, not even by the system', async () => {
    const given = record()
    await supply.ingest([given])
    const database = test.store.tables<Record<string, never>>()
    const statements = [
      sql`update usage_events set prompt_tokens = 0`,
      sql`delete from usage_events`,
      sql`truncate usage_events`,
    ]
    for (const statement of statements) {
      await expect(database.run(system, (tx) => statement.execute(tx))).rejects.toThrow('append-only')
    }
    expect(await supply.record(system, given.requestId)).toMatchObject({ promptTokens: 10 })
  })

  it('are seen by their own tenant and project only', async () => {
    const [mine, theirs] = [tenantScope(), tenantScope()]
    const projectId = ids.next('project')
    const given = record({ tenantId: mine.tenantId, projectId })
    await supply.ingest([given, record({ tenantId: mine.tenantId }), record({ tenantId: theirs.tenantId })])
    expect((await supply.list(mine)).items).toHaveLength(2)
    expect((await supply.list({ ...mine, projectId })).items.map((each) => each.requestId)).toEqual([given.requestId])
    expect(await supply.record(theirs, given.requestId)).toBeNull()
    expect(await supply.summary(theirs, { ...WHOLE, groupBy: 'key' })).toMatchObject([{ requests: 1 }])
    const database = test.store.tables<Record<string, never>>()
    const counted = await database.run(theirs, (tx) =>
      sql<{ n: string }>`select count(*) n from usage_events`.execute(tx),
    )
    expect(counted.rows[0]?.n).toBe('1')
  })
})

describe('list', () => {
  it('pages newest first without losing or repeating one, also within one millisecond', async () => {
    const scope = tenantScope()
    const batch = Array.from({ length: 23 }, (_, n) =>
      record({ tenantId: scope.tenantId, endedAt: DAY + 2_000 + Math.floor(n / 5) }),
    )
    await supply.ingest(batch)
    const seen: string[] = []
    const times: number[] = []
    for (let cursor: string | null = null, pages = 0; pages < 10; pages += 1) {
      const page = await supply.list(scope, { cursor, limit: 4 })
      seen.push(...page.items.map((each) => each.requestId))
      times.push(...page.items.map((each) => each.occurredAt.getTime()))
      cursor = page.nextCursor
      if (cursor === null) break
    }
    expect(seen.toSorted()).toEqual(batch.map((each) => each.requestId).toSorted())
    expect(times).toEqual(times.toSorted((left, right) => right - left))
  })

  it('filters by model, key, outcome, request and time', async () => {
    const scope = tenantScope()
    const own = (fields: Partial<UsageRecord>) => record({ tenantId: scope.tenantId, ...fields })
    const batch = [
      own({ model: 'x' }),
      own({ keyId: 'key_x' }),
      own({ outcome: 'aborted' }),
      own({ endedAt: DAY + 86_400_000 }),
    ]
    await supply.ingest(batch)
    const found = async (query: Parameters<Supply['list']>[1]) =>
      (await supply.list(scope, query)).items.map((each) => each.requestId)
    expect(await found({ model: 'x' })).toEqual([batch[0]?.requestId])
    expect(await found({ keyId: 'key_x' })).toEqual([batch[1]?.requestId])
    expect(await found({ outcome: 'aborted' })).toEqual([batch[2]?.requestId])
    expect(await found({ requestId: batch[2]?.requestId })).toEqual([batch[2]?.requestId])
    expect(await found({ requestId: 'req_of_nobody' })).toEqual([])
    expect((await supply.list(tenantScope(), { requestId: batch[2]?.requestId })).items).toEqual([])
    expect(await found({ from: new Date(DAY + 86_400_000) })).toEqual([batch[3]?.requestId])
    expect(await found({ to: new Date(DAY + 86_400_000) })).toHaveLength(3)
    await expect(supply.list(scope, { cursor: 'nonsense' })).rejects.toMatchObject({ code: 'supply.cursor.invalid' })
  })
})

describe('summary', () => {
  it('groups by day in UTC and stays exact where a number still can', async () => {
    const scope = tenantScope()
    const big = Number.MAX_SAFE_INTEGER - 2
    await supply.ingest([
      record({ tenantId: scope.tenantId, endedAt: DAY - 1, promptTokens: big }),
      record({ tenantId: scope.tenantId, endedAt: DAY - 1, promptTokens: 2 }),
      record({ tenantId: scope.tenantId, endedAt: DAY }),
    ])
    expect(await supply.summary(scope, { ...WHOLE, groupBy: 'day' })).toMatchObject([
      { group: '2026-11-22', promptTokens: Number.MAX_SAFE_INTEGER, requests: 2 },
      { group: '2026-11-23', promptTokens: 10, completionTokens: 5 },
    ])
  })

  it('counts as unknown what ran and was not counted, not what was refused', async () => {
    const scope = tenantScope()
    const uncounted = { tenantId: scope.tenantId, promptTokens: null, cachedTokens: null, completionTokens: null }
    await supply.ingest([
      record({ ...uncounted, outcome: 'refused', model: null }),
      record({ ...uncounted, outcome: 'interrupted' }),
      record({ ...uncounted, outcome: 'failed' }),
      record({ tenantId: scope.tenantId }),
    ])
    expect(await supply.summary(scope, { ...WHOLE, groupBy: 'outcome' })).toMatchObject([
      { group: 'completed', requests: 1, unknownRequests: 0 },
      { group: 'failed', requests: 1, unknownRequests: 1 },
      { group: 'interrupted', requests: 1, unknownRequests: 1 },
      { group: 'refused', requests: 1, unknownRequests: 0, promptTokens: 0 },
    ])
    expect((await supply.summary(scope, { ...WHOLE, groupBy: 'model' })).map(({ group }) => group)).toContain(null)
  })
})
