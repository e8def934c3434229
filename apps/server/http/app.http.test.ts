import type { Id, TenantScope } from '@medley/kernel'
import type { RevisionSpec } from '@medley/serving'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  apiKey,
  chip,
  createdApiKey,
  page,
  problem,
  revision,
  status,
  usageEvent,
  usageSummary,
} from '../api/schemas.ts'
import type { ComposedServer } from '../compose.ts'
import { startTestFactory, type TestFactory } from './test-factory.ts'

describe('control API', () => {
  let test: TestFactory
  let server: ComposedServer
  let asOperator: TestFactory['asOperator']
  let asProcess: TestFactory['asProcess']

  beforeAll(async () => {
    test = await startTestFactory()
    ;({ server, asOperator, asProcess } = test)
  }, 120_000)
  afterAll(() => test.close())

  it('names each wrong field in the reader’s language', async () => {
    const answer = await asOperator('/api/v1/keys', {
      method: 'POST',
      body: JSON.stringify({ name: '' }),
      headers: { 'accept-language': 'zh-CN' },
    })
    const found = problem.parse(await answer.json())
    expect(answer.status).toBe(400)
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
    expect(found).toMatchObject({ title: '请求有误', errors: [{ path: 'name' }] })
  })

  it('answers malformed JSON and unknown addresses with a problem', async () => {
    const malformed = await asOperator('/api/v1/keys', { method: 'POST', body: '{' })
    const unknown = await asOperator('/api/v1/nothing')
    expect([malformed.status, problem.parse(await malformed.json()).status]).toEqual([400, 400])
    expect(problem.parse(await unknown.json()).code).toBe('server.route.unknown')
  })

  it('shows a key once, hands its hash to the gateway, and takes it back when revoked', async () => {
    const created = createdApiKey.parse(
      await (await asOperator('/api/v1/keys', { method: 'POST', body: JSON.stringify({ name: 'laptop' }) })).json(),
    )
    const listed = page(apiKey).parse(await (await asOperator('/api/v1/keys')).json())
    expect(JSON.stringify(listed)).not.toContain(created.key)
    const snapshot = async () => JSON.stringify(await (await asProcess('/internal/gateway/snapshot')).json())
    expect(await snapshot()).toContain(created.prefix)
    expect(await snapshot()).not.toContain(created.key)
    await asOperator(`/api/v1/keys/${created.id}`, { method: 'DELETE' })
    expect(await snapshot()).not.toContain(created.prefix)
  })

  it('does a mutation with an Idempotency-Key once', async () => {
    const create = (key: string, name: string) =>
      asOperator('/api/v1/keys', {
        method: 'POST',
        body: JSON.stringify({ name }),
        headers: { 'idempotency-key': key },
      })
    const [first, again, other] = [await create('k1', 'once'), await create('k1', 'once'), await create('k1', 'twice')]
    const listed = page(apiKey).parse(await (await asOperator('/api/v1/keys')).json())
    expect([first.status, again.status, other.status]).toEqual([201, 409, 422])
    expect(problem.parse(await again.json()).code).toBe('server.idempotency.secret-shown')
    expect(listed.items.filter((item) => ['once', 'twice'].includes(item.name))).toHaveLength(1)
    const { id } = createdApiKey.parse(await first.json())
    const revoke = () => asOperator(`/api/v1/keys/${id}`, { method: 'DELETE', headers: { 'idempotency-key': 'k2' } })
    const [revoked, replayed] = [await revoke(), await revoke()]
    expect(await replayed.text()).toBe(await revoked.text())
    expect(replayed.headers.get('idempotency-replayed')).toBe('true')
  })

  it('holds a snapshot back until something changes', async () => {
    const first = (await (await asProcess('/internal/gateway/snapshot')).json()) as { revision: number }
    const unchanged = await asProcess(`/internal/gateway/snapshot?after=${first.revision}&waitMs=50`)
    expect(unchanged.status).toBe(204)
    const waiting = asProcess(`/internal/gateway/snapshot?after=${first.revision}&waitMs=30000`)
    await asOperator('/api/v1/keys', { method: 'POST', body: JSON.stringify({ name: 'wakes the gateway' }) })
    const next = (await (await waiting).json()) as { revision: number }
    expect(next.revision).not.toBe(first.revision)
  })

  it('learns of a chip from its agent and shows it without a score', async () => {
    const orders = await asProcess('/internal/agents/sync', agentReport())
    expect(orders.status).toBe(200)
    const { items } = page(chip).parse(await (await asOperator('/api/v1/chips')).json())
    expect(items).toMatchObject([
      { facts: { uuid: 'chip-under-test' }, score: { axes: {}, fitness: null, reason: 'not_proved' } },
    ])
    const shown = status.parse(await (await asOperator('/api/v1/status')).json())
    expect(shown.chips).toMatchObject([{ uuid: 'chip-under-test' }])
    const refused = await asOperator('/api/v1/proving/runs', {
      method: 'POST',
      body: JSON.stringify({ chipId: items[0]?.id }),
    })
    expect(problem.parse(await refused.json()).code).toBe('server.model.not-ready')
  })

  it('shows the revision an answer came from, after a later one too', async () => {
    const { tenantId, projectId } = await ownerOf(server)
    const owner: TenantScope = {
      kind: 'tenant',
      tenantId: tenantId as Id<'tenant'>,
      projectId: projectId as Id<'project'>,
      actor: { kind: 'user', id: 'user_test' },
    }
    const request = { name: 'traced', servedModel: 'tiny', nodeId: 'node_elsewhere', spec: revisionSpec('1') }
    const first = await server.factory.serving.deploy(owner, request)
    await server.factory.serving.deploy(owner, { ...request, spec: revisionSpec('2') })
    const found = await asOperator(`/api/v1/revisions/${first.revision.id}`)
    expect(revision.parse(await found.json())).toMatchObject({
      id: first.revision.id,
      digest: first.revision.digest,
      deployment: { id: first.id, name: 'traced' },
      current: false,
      spec: { engine: { version: '1' } },
    })
    const unknown = await asOperator('/api/v1/revisions/rev_nobody')
    expect([unknown.status, problem.parse(await unknown.json()).code]).toEqual([404, 'serving.revision.unknown'])
    await server.factory.serving.stop(owner, first.id)
  })

  it('meters a request once however often it is handed in', async () => {
    const { tenantId, projectId } = await ownerOf(server)
    const record = usage(tenantId, projectId)
    await asProcess('/internal/usage', { records: [record] })
    await asProcess('/internal/usage', { records: [record, record] })
    const { items } = page(usageEvent).parse(await (await asOperator('/api/v1/usage')).json())
    const sums = usageSummary.parse(await (await asOperator('/api/v1/usage/summary?groupBy=model')).json())
    expect(items.filter((item) => item.requestId === record.requestId)).toHaveLength(1)
    const traced = async (id: string) =>
      page(usageEvent).parse(await (await asOperator(`/api/v1/usage?requestId=${id}`)).json()).items
    expect(await traced(record.requestId)).toMatchObject([{ requestId: record.requestId, model: 'tiny' }])
    expect(await traced('req_of_nobody')).toEqual([])
    expect(sums.groups).toMatchObject([{ group: 'tiny', requests: 1, promptTokens: 3, completionTokens: 5 }])
  })
})

async function ownerOf(server: ComposedServer): Promise<{ tenantId: string; projectId: string }> {
  const snapshot = await server.factory.snapshots.after(-1, 0, new AbortController().signal)
  const [key] = snapshot?.keys ?? []
  if (!key) throw new Error('no key in the snapshot')
  return key
}

function revisionSpec(engineVersion: string): RevisionSpec {
  return {
    model: { name: 'tiny', digest: 'sha256:00', bytes: 10, path: '/models/tiny.gguf' },
    template: { name: 'chatml', text: '{{ messages }}', systemPrompt: null, stop: [] },
    engine: { family: 'llama-cpp', version: engineVersion, binaryDigest: null },
    config: {
      slots: 1,
      contextTokens: 1024,
      threads: 1,
      batchTokens: 512,
      flashAttention: true,
      promptLookup: null,
      maxQueue: 4,
    },
    golden: null,
    chipUuids: ['chip-under-test'],
    capabilities: ['chat'],
    recipeDigest: null,
  }
}

function usage(tenantId: string, projectId: string) {
  return {
    requestId: 'req_01a2061a-e904-7a3c-8db5-6df79c67623c',
    tenantId,
    projectId,
    keyId: 'key_test',
    endpoint: '/v1/chat/completions',
    model: 'tiny',
    revisionId: null,
    replicaId: null,
    chipUuids: [],
    outcome: 'completed',
    httpStatus: 200,
    errorCode: null,
    stream: false,
    promptTokens: 3,
    cachedTokens: 0,
    completionTokens: 5,
    startedAt: Date.now() - 10,
    endedAt: Date.now(),
    timeToFirstTokenMs: null,
    appVersionId: null,
    datasetVersionId: null,
    contractId: null,
  }
}

function agentReport() {
  return {
    nodeKey: 'node-under-test',
    bootId: 'boot',
    facts: {
      hostname: 'host',
      operatingSystem: 'linux',
      kernel: '6',
      architecture: 'x64',
      cpuCount: 2,
      memoryBytes: 1024,
      agentVersion: '0',
      nodeVersion: '24',
    },
    chips: [
      {
        vendor: 'cpu',
        index: 0,
        uuid: 'chip-under-test',
        serial: null,
        pciAddress: null,
        product: 'Test chip',
        cardKey: 'c',
        chipOnCard: 0,
        memoryTotalBytes: null,
        memoryUsedBytes: null,
        utilizationRatio: null,
        temperatureCelsius: null,
        powerWatts: null,
        cardPowerWatts: null,
        health: 'healthy',
        healthReasons: [],
        driverVersion: null,
        firmwareVersion: null,
        numaNode: null,
        eccErrorsUncorrected: null,
        computeUnits: 2,
        features: [],
        extra: {},
        simulated: true,
      },
    ],
    workloads: [],
    appliedRevision: -1,
    waitMs: 0,
  }
}
