import { randomBytes } from 'node:crypto'
import { createIdFactory, systemScope } from '@medley/kernel'
import { storeMigrations } from '@medley/store'
import { startTestStore, type TestStore } from '@medley/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CapacityStore, createCapacityStore, createSupply, type Sheet, supplyMigrations } from './index.ts'
import type { UsageRecord } from './protocol.ts'

let test: TestStore
let capacity: CapacityStore
const NOW = Date.UTC(2026, 10, 23, 12, 34)
const clock = { now: () => NOW }
const ids = createIdFactory(clock, (size) => new Uint8Array(randomBytes(size)))
const operator = { ...systemScope('test'), actor: { kind: 'user', id: 'user_op' } } as const
const HOUR = 3_600_000

beforeAll(async () => {
  test = await startTestStore(storeMigrations, supplyMigrations)
  capacity = createCapacityStore({ store: test.store, clock })
}, 120_000)
afterAll(() => test?.close())

const sheet: Sheet = {
  product: 'A1',
  peaks: [{ dtype: 'fp16', teraops: 310, sparse: false }],
  bandwidthBytesPerSecond: 1e12,
  source: 'maker’s own sheet, 2026',
  confidence: 'high',
}

describe('sheets of the operator', () => {
  it('are given, replaced and taken back', async () => {
    await capacity.putSheet(operator, 'alpha', { ...sheet, source: 'first' })
    const given = await capacity.putSheet(operator, 'alpha', sheet)
    expect(given).toEqual({ vendor: 'alpha', sheet, by: 'user_op', at: new Date(NOW) })
    expect(await capacity.sheets()).toEqual([given])
    await capacity.deleteSheet('alpha', 'A1')
    expect(await capacity.sheets()).toEqual([])
    const again = capacity.deleteSheet('alpha', 'A1')
    await expect(again).rejects.toMatchObject({ code: 'supply.sheet.unknown' })
  })
  it.each<[string, Partial<Sheet>]>([
    ['source', { source: ' ' }],
    ['product', { product: '' }],
    ['bandwidthBytesPerSecond', { bandwidthBytesPerSecond: 0 }],
    ['peaks.0.teraops', { peaks: [{ dtype: 'fp16', teraops: 0, sparse: false }] }],
    ['peaks.1.dtype', { peaks: [...sheet.peaks, ...sheet.peaks] }],
  ])('with a bad %s are refused by name', async (path, fields) => {
    const put = capacity.putSheet(operator, 'alpha', { ...sheet, ...fields })
    await expect(put).rejects.toMatchObject({ code: 'supply.sheet.invalid', errors: [{ path }] })
  })
})

describe('history', () => {
  it('keeps the newest point of each hour, for two years', async () => {
    const point = { nominal: 1.5, effective: null, usable: 1, chips: 5 }
    await capacity.record(new Date(NOW - 3 * 366 * 24 * HOUR), [{ dtype: 'fp16', ...point }])
    await capacity.record(new Date(NOW - HOUR), [{ dtype: 'fp16', ...point }])
    await capacity.record(new Date(NOW), [{ dtype: 'fp16', ...point }])
    const newest = { ...point, effective: 0.25, nominal: 2 }
    await capacity.record(new Date(NOW + 60_000), [
      { dtype: 'fp16', ...newest },
      { dtype: 'int8', ...point },
    ])
    expect(await capacity.history(new Date(0), new Date(NOW + HOUR), 'fp16')).toEqual([
      { at: new Date(Date.UTC(2026, 10, 23, 11)), ...point },
      { at: new Date(Date.UTC(2026, 10, 23, 12)), ...newest },
    ])
    expect(await capacity.history(new Date(NOW), new Date(NOW + HOUR), 'fp16')).toEqual([])
  })
})

describe('usage by chip', () => {
  it('counts overlapping time once, clips it, and shares tokens among the chips of a request', async () => {
    const record = (chipUuids: string[], fromSecond: number, toSecond: number, tokens: number): UsageRecord => {
      const who = { tenantId: 'tenant_a', projectId: 'project_a', keyId: 'key_a', requestId: ids.next('req') }
      const what = { endpoint: '/v1/completions', model: 'm', revisionId: null, replicaId: null, chipUuids }
      const how = { outcome: 'completed', httpStatus: 200, errorCode: null, stream: false } as const
      const amounts = { promptTokens: tokens, cachedTokens: 0, completionTokens: null, timeToFirstTokenMs: null }
      const rest = { appVersionId: null, datasetVersionId: null, contractId: null }
      const times = { startedAt: NOW + fromSecond * 1_000, endedAt: NOW + toSecond * 1_000 }
      return { ...who, ...what, ...how, ...amounts, ...times, ...rest }
    }
    const supply = createSupply({ store: test.store, ids, clock })
    await supply.ingest([
      record(['a', 'b'], 0, 10, 100),
      record(['a'], 5, 20, 10),
      record(['a'], 30, 31, 1),
      record(['b'], -50, 5, 2),
      record(['c'], 3, 3, 7),
      record(['a'], 200, 300, 1_000),
    ])
    expect(await capacity.usageByChip(new Date(NOW), new Date(NOW + 100_000))).toEqual([
      { chipUuid: 'a', busySeconds: 21, tokens: 61 },
      { chipUuid: 'b', busySeconds: 10, tokens: 52 },
      { chipUuid: 'c', busySeconds: 0, tokens: 7 },
    ])
  })
})
