import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { createIdFactory, isId } from '@medley/kernel'
import { appendEvent, type NewEvent, storeMigrations } from '@medley/store'
import { startTestStore, type TestStore } from '@medley/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProving, type Proving, provingMigrations } from './index.ts'
import type { ProvingResult, ProvingSpec } from './protocol.ts'

let test: TestStore
let proving: Proving
const events: NewEvent[] = []
let nowMs = Date.UTC(2026, 10, 23)
const clock = { now: () => (nowMs += 5) }
const ids = createIdFactory(clock, (size) => crypto.getRandomValues(new Uint8Array(size)))

beforeAll(async () => {
  test = await startTestStore(storeMigrations, provingMigrations)
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  proving = createProving({
    store: test.store,
    clock,
    ids,
    sign: (bytes) => ({ keyId: 'key-1', signature: sign(null, bytes, privateKey).toString('base64url') }),
    verifySignature: (bytes, { signature }) => verify(null, bytes, publicKey, Buffer.from(signature, 'base64url')),
    publish: (tx, event) => {
      events.push(event)
      return appendEvent(tx, { ids, clock }, event)
    },
  })
}, 120_000)

afterAll(() => test.close())

const ENGINE = {
  family: 'llama-cpp',
  config: { threads: 9, slots: 1 },
  golden: { question: 'Capital of France?', mustContain: 'Paris', maxTokens: 16 },
}

function planned(uuid: string): ProvingSpec {
  return proving.planQuickRun({ uuid, computeUnits: 2 }, ENGINE)
}

/** A quiet run of a model of 100 MB that decodes at 100 tokens/s on a chip of 20 GB/s. */
function measured(spec: ProvingSpec, bandwidth = 20e9): ProvingResult {
  const steady = (value: number): number[] => [value, value * 0.99, value * 0.98, value * 0.99, value]
  return {
    probe: {
      threads: spec.threads,
      gemmFp32: { shape: [1536, 1536, 1536], flopsPerSecond: steady(100e9) },
      gemmInt8: { shape: [1536, 1536, 1536], opsPerSecond: steady(380e9) },
      bandwidthRead: { bytes: 2 ** 27, bytesPerSecond: steady(bandwidth) },
      bandwidthTriad: { bytes: 3 * 2 ** 27, bytesPerSecond: steady(bandwidth * 0.8) },
      lastLevelCacheBytes: 2 ** 25,
      cpuSeconds: 7,
      library: 'onnxruntime-node 1.30.0',
    },
    cases: spec.cases.map((item) => ({
      id: item.id,
      event: item.event,
      promptTokens: item.promptTokens,
      generateTokens: item.generateTokens,
      seconds: item.event === 'decode' ? steady(0.64) : steady(1.5),
      cpuSeconds: item.event === 'decode' ? steady(0.64) : steady(1.5),
      tokens: [1, 2, 3, 4, 5].map(() => (item.event === 'decode' ? 64 : 256)),
    })),
    engine: {
      engineVersion: '1',
      modelParameters: 135e6,
      modelBytes: 100e6,
      kvBytesPerToken: 0,
      goldenAnswer: 'The capital is Paris.',
    },
    environment: { cpuModel: 'a processor', threads: spec.threads },
    noise: { loadBefore: 0.1, loadAfter: 1, stealRatio: 0, foreignCpuRatio: 0.01, cpuCount: 2 },
    startedAt: nowMs,
    endedAt: nowMs + 30_000,
  }
}

describe('proving', () => {
  it('plans a prefill and a decode case on the threads of the probe', () => {
    const spec = planned('plan')
    expect(spec).toMatchObject({ suite: 'quick', threads: 1, deadlineMs: 60_000, engine: { config: { threads: 1 } } })
    expect(spec.cases.map(({ event, repeats }) => [event, repeats])).toEqual([
      ['prefill', 5],
      ['decode', 5],
    ])
    expect(isId('run', spec.runId)).toBe(true)
    expect(proving.planQuickRun({ uuid: 'x', computeUnits: null }, ENGINE).threads).toBe(1)
  })

  it('keeps one signed record per run, tells of it once, and shows its scores', async () => {
    const spec = planned('chip-a')
    const result = measured(spec)
    const [record, other] = await Promise.all([proving.acceptResult(spec, result), proving.acceptResult(spec, result)])
    expect(other).toEqual(record)
    expect(await proving.acceptResult(spec, result)).toEqual(record)
    expect(await proving.record(record.id)).toEqual(record)
    expect(events.filter(({ causationId }) => causationId === spec.runId)).toMatchObject([
      { type: 'proving.record.created', subject: record.id },
    ])
    expect(proving.verify(record)).toEqual({ digest: true, signature: true, scores: true })
    const scores = await proving.scores(['chip-a', 'absent'])
    expect(scores.map(({ event, state }) => [event, state])).toEqual([
      ['decode', 'partial'],
      ['prefill', 'partial'],
    ])
    // 100 tokens/s of the 200 that 20 GB/s would allow.
    expect(scores[0]?.efficiency).toBeCloseTo(0.5, 1)
    expect(scores[0]?.tokensPerSecond).toBeGreaterThan(99)
  })

  it('notices a record that was tampered with', async () => {
    const spec = planned('chip-b')
    const record = await proving.acceptResult(spec, measured(spec))
    const changed = JSON.parse(JSON.stringify(record.evidence).replace('"bytes":134217728', '"bytes":1'))
    expect(proving.verify({ ...record, evidence: changed })).toMatchObject({ digest: false, signature: false })
    const shown = record.scores.map((score) => ({ ...score, score: 99 }))
    expect(proving.verify({ ...record, scores: shown })).toMatchObject({ digest: true, scores: false })
    const update = test.store
      .tables<{ proving_records: { id: string; suite: string } }>()
      .run({ kind: 'system', actor: { kind: 'system', id: 'test' } }, (tx) =>
        tx.updateTable('proving_records').set({ suite: 'full' }).where('id', '=', record.id).execute(),
      )
    await expect(update).rejects.toThrow('final')
  })

  it('divides by the best rate on record when the next probe is slower', async () => {
    const first = planned('chip-c')
    await proving.acceptResult(first, measured(first, 40e9))
    const second = planned('chip-c')
    await proving.acceptResult(second, measured(second, 20e9))
    const decode = (await proving.scores(['chip-c'])).find(({ event }) => event === 'decode')
    expect(decode?.efficiency).toBeCloseTo(0.25, 1)
  })

  it('stores a void record when the probe was too slow, without a number', async () => {
    const spec = planned('chip-d')
    const record = await proving.acceptResult(spec, measured(spec, 5e9))
    expect(record.scores.find(({ event }) => event === 'decode')).toMatchObject({
      state: 'void',
      score: null,
      reasons: [{ code: 'probe_too_slow' }],
    })
  })

  it('refuses a result of another plan and stores nothing of it', async () => {
    const spec = planned('chip-e')
    const foreign = { ...measured(spec), cases: [{ ...measured(spec).cases[0], promptTokens: 8 }] }
    await expect(proving.acceptResult(spec, foreign)).rejects.toMatchObject({ code: 'proving.run.mismatch' })
    await expect(proving.acceptResult(spec, { nonsense: true })).rejects.toMatchObject({
      code: 'proving.run.mismatch',
    })
    expect(await proving.scores(['chip-e'])).toEqual([])
  })

  it('pages the records of a chip from the newest on', async () => {
    const made: string[] = []
    for (let index = 0; index < 3; index += 1) {
      const spec = planned('chip-f')
      made.unshift((await proving.acceptResult(spec, measured(spec))).id)
    }
    const first = await proving.listRecords({ chipUuid: 'chip-f', cursor: null, limit: 2 })
    const rest = await proving.listRecords({ chipUuid: 'chip-f', cursor: first.nextCursor, limit: 2 })
    expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(made)
    expect(rest.nextCursor).toBeNull()
    await expect(proving.listRecords({ chipUuid: null, cursor: 'x', limit: 1 })).rejects.toMatchObject({
      code: 'proving.cursor.invalid',
    })
    await expect(proving.record('record_none')).rejects.toMatchObject({ code: 'proving.record.unknown' })
  })
})
