import { type Id, systemScope, type TenantScope } from '@medley/kernel'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  apiKey,
  chip,
  deployment,
  model,
  operation,
  page,
  problem,
  session,
  status,
  usageEvent,
} from '../api/schemas.ts'
import { CONSOLE, startTestFactory, type TestFactory } from './test-factory.ts'
import { agentReport, revisionSpec, usage } from './test-samples.ts'

let test: TestFactory
let home: TenantScope
let guestTenant: Id<'tenant'>
let guest: (path: string, init?: RequestInit) => Promise<Response>

beforeAll(async () => {
  test = await startTestFactory()
  const { identity, serving } = test.server.factory
  const { userId, tenantId, projectId } = await identity.bootstrap()
  home = { kind: 'tenant', tenantId, projectId, actor: { kind: 'user', id: userId } }
  const made = await test.app.request('/api/auth/organization/create', {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: CONSOLE, cookie: await test.signIn(userId) },
    body: JSON.stringify({ name: '第二', slug: 'second' }),
  })
  guestTenant = ((await made.json()) as { id: Id<'tenant'> }).id
  const person = { email: 'mei@example.test', name: '梅', role: 'operator', password: null } as const
  const cookie = await test.signIn(await identity.people.add({ ...person, tenantId: guestTenant }))
  guest = async (path, init = {}) =>
    test.app.request(path, { ...init, headers: { cookie, origin: CONSOLE, 'content-type': 'application/json' } })

  await test.report(agentReport())
  await test.asProcess('/internal/usage', { records: [usage(tenantId, projectId)] })
  await test.asOperator('/api/v1/keys', { method: 'POST', body: JSON.stringify({ name: 'first tenant’s' }) })
  await serving.deploy(home, { name: 'own', servedModel: 'tiny', nodeId: 'node_elsewhere', spec: revisionSpec('1') })
}, 120_000)
afterAll(() => test.close())

describe('a second tenant', { timeout: 60_000 }, () => {
  it('signs in to its own and sees nothing of the first', async () => {
    expect(session.parse(await (await guest('/api/v1/session')).json()).tenant.id).toBe(guestTenant)
    const lists = { keys: apiKey, usage: usageEvent, deployments: deployment, models: model }
    for (const [name, item] of Object.entries(lists)) {
      const listed = page<typeof item>(item).parse(await (await guest(`/api/v1/${name}`)).json())
      expect(listed.items, name).toEqual([])
    }
    const shown = status.parse(await (await guest('/api/v1/status')).json())
    expect(shown).toMatchObject({ deployments: [], models: [], usage: { requests24h: 0, completionTokens24h: 0 } })
    const own = status.parse(await (await test.asOperator('/api/v1/status')).json())
    expect(own).toMatchObject({ deployments: [{ name: 'own' }], usage: { requests24h: 1 } })
  })

  it('shares the chips, but not the names of what others run on them', async () => {
    const listed = page(chip).parse(await (await guest('/api/v1/chips')).json())
    expect(listed.items).toMatchObject([{ facts: { uuid: 'chip-under-test' }, deployments: [] }])
  })

  it('does not find the operations of the first', async () => {
    const { operations } = test.server.factory
    const begun = await operations.of(home).begin('proving', 'node_elsewhere chip', {})
    const refused = await guest(`/api/v1/operations/${begun.id}`)
    expect([refused.status, problem.parse(await refused.json()).code]).toEqual([404, 'server.operation.unknown'])
    const found = await test.asOperator(`/api/v1/operations/${begun.id}`)
    expect(operation.parse(await found.json())).toMatchObject({ id: begun.id, state: 'running' })
    await operations.of({ ...home, tenantId: guestTenant, projectId: null }).fail(begun.id, { code: 'x', params: {} })
    expect((await operations.all.find(begun.id))?.state).toBe('running')
    await operations.all.finish(begun.id, null)
    expect((await operations.of(home).find(begun.id))?.state).toBe('done')
  })

  it('does not measure a chip that the first measures, nor join its measurement', async () => {
    const [seen] = page(chip).parse(await (await guest('/api/v1/chips')).json()).items
    const begun = await test.server.factory.operations
      .of(home)
      .begin('proving', `${seen?.nodeId} ${seen?.facts.uuid}`, {})
    const refused = await guest('/api/v1/proving/runs', { method: 'POST', body: JSON.stringify({ chipId: seen?.id }) })
    expect([refused.status, problem.parse(await refused.json()).code]).toEqual([409, 'server.proving.running'])
    await test.server.factory.operations.all.finish(begun.id, null)
  })

  it('gets a sign-in link for itself, not for the first tenant’s operator', async () => {
    const { url } = (await (await guest('/api/v1/sign-in-links', { method: 'POST', body: '{}' })).json()) as {
      url: string
    }
    const verified = await test.app.request('/api/auth/one-time-link/verify', {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: CONSOLE },
      body: JSON.stringify({ token: url.split('#token=')[1] }),
    })
    expect(await verified.json()).toMatchObject({ user: { email: 'mei@example.test' } })
  })

  it('pages its own models by id, and none of the first’s', async () => {
    const now = new Date()
    const models = ['c', 'a', 'b'].map((name, at) => ({
      id: `model_${at}`,
      tenant_id: guestTenant,
      name,
      display_name: name,
      digest: `sha256:${'0'.repeat(64)}`,
      bytes: 1,
      path: '/nowhere',
      source: 'test',
      state: 'damaged',
      verified_mtime_ms: 0,
      created_at: now,
      verified_at: now,
    }))
    const database = test.store.tables<{ models: Record<string, unknown> }>()
    await database.run(systemScope('test'), (tx) => tx.insertInto('models').values(models).execute())
    const pageAt = async (query: string) => page(model).parse(await (await guest(`/api/v1/models?${query}`)).json())
    const first = await pageAt('limit=2')
    expect([first.items.map(({ id }) => id), first.nextCursor]).toEqual([['model_0', 'model_1'], 'model_1'])
    const second = await pageAt(`limit=2&cursor=${first.nextCursor}`)
    expect([second.items.map(({ id }) => id), second.nextCursor]).toEqual([['model_2'], null])
    expect(page(model).parse(await (await test.asOperator('/api/v1/models')).json()).items).toEqual([])
  })

  it('may use the playground after a restart too, before anybody opened it', async () => {
    const again = await test.restarted()
    const snapshot = await again.factory.snapshots.after(-1, 0, new AbortController().signal)
    const tenants = snapshot?.keys.filter(({ id }) => id === 'key_playground').map(({ tenantId }) => tenantId)
    expect(tenants).toEqual([home.tenantId, guestTenant])
    const [key] = snapshot?.keys.filter(({ tenantId }) => tenantId === guestTenant) ?? []
    const scope = { ...home, tenantId: guestTenant, projectId: (key?.projectId ?? null) as Id<'project'> | null }
    expect(again.factory.playgroundKey(scope)).toContain(`mk_${key?.prefix}_`)
  })
})
