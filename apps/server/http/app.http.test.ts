import type { Id, TenantScope } from '@medley/kernel'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  apiKey,
  chip,
  createdApiKey,
  operation,
  page,
  problem,
  revision,
  status,
  usageEvent,
  usageSummary,
} from '../api/schemas.ts'
import type { ComposedServer } from '../compose.ts'
import { startTestFactory, type TestFactory } from './test-factory.ts'
import { agentReport, revisionSpec, usage } from './test-samples.ts'

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
    await test.report(agentReport())
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

  it('ends a measurement whose result cannot be taken, and goes on', async () => {
    const { tenantId, projectId } = await ownerOf(server)
    const owner: TenantScope = {
      kind: 'tenant',
      tenantId: tenantId as Id<'tenant'>,
      projectId: projectId as Id<'project'>,
      actor: { kind: 'user', id: 'user_test' },
    }
    const { id } = await server.factory.operations.of(owner).begin('proving', 'nowhere chip', { runId: 'run' })
    const workload = { id, digest: 'd', state: 'done', restarts: 0, error: null, progress: null } as const
    const report = { ...agentReport(), workloads: [{ ...workload, endpoint: null, result: { odd: true } }] }
    await test.report(report)
    await test.report(report)
    const ended = operation.parse(await (await asOperator(`/api/v1/operations/${id}`)).json())
    expect(ended).toMatchObject({ state: 'failed', error: { code: 'server.unexpected' } })
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
    const nameless = {
      ...record,
      requestId: 'req_01a2061a-e904-7a3c-8db5-6df79c67623d',
      model: null,
      outcome: 'refused',
    }
    await asProcess('/internal/usage', { records: [{ ...nameless, promptTokens: null, completionTokens: null }] })
    const all = usageSummary.parse(await (await asOperator('/api/v1/usage/summary?groupBy=model')).json())
    expect(all.groups).toContainEqual(expect.objectContaining({ group: null, requests: 1, unknownRequests: 0 }))
  })
})

async function ownerOf(server: ComposedServer): Promise<{ tenantId: string; projectId: string }> {
  const snapshot = await server.factory.snapshots.after(-1, 0, new AbortController().signal)
  const [key] = snapshot?.keys ?? []
  if (!key) throw new Error('no key in the snapshot')
  return key
}
