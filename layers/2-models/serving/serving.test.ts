import { randomBytes } from 'node:crypto'
import { createIdFactory, type Id, type TenantScope } from '@medley/kernel'
import { storeMigrations } from '@medley/store'
import { startTestStore, type TestStore } from '@medley/testkit'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deploymentState, revisionDigest } from './domain/revision.ts'
import { createServing, type RevisionSpec, type Serving, servingMigrations } from './index.ts'

const clock = { now: () => Date.now() }
const ids = createIdFactory(clock, randomBytes)

const spec: RevisionSpec = {
  model: { name: 'tiny', digest: 'sha256:00', bytes: 10, path: '/models/tiny.gguf' },
  template: { name: 'chatml', text: '{{ messages }}', systemPrompt: null, stop: ['<|im_end|>'] },
  engine: { family: 'llama-cpp', version: '1', binaryDigest: 'sha256:11' },
  config: {
    slots: 8,
    contextTokens: 1024,
    threads: 1,
    batchTokens: 512,
    flashAttention: true,
    promptLookup: null,
    maxQueue: 64,
  },
  golden: null,
  chipUuids: ['cpu-0'],
  capabilities: ['chat'],
  recipeDigest: null,
}

function newTenant(): TenantScope {
  return {
    kind: 'tenant',
    tenantId: ids.next('tenant') as Id<'tenant'>,
    projectId: ids.next('project'),
    actor: { kind: 'user', id: 'user_test' },
  }
}

describe('deployments', () => {
  let test: TestStore
  let serving: Serving

  beforeAll(async () => {
    test = await startTestStore(storeMigrations, servingMigrations)
    serving = createServing({ store: test.store, clock, ids })
  })
  afterAll(() => test.close())

  it('repeats a deployment without a new revision, and revises it when what decides an answer changes', async () => {
    const owner = newTenant()
    const request = { name: 'a', servedModel: 'tiny', nodeId: 'node_1', spec }
    const first = await serving.deploy(owner, request)
    const again = await serving.deploy(owner, request)
    const moved = await serving.deploy(owner, {
      ...request,
      spec: { ...spec, model: { ...spec.model, path: '/elsewhere' } },
    })
    const revised = await serving.deploy(owner, {
      ...request,
      spec: { ...spec, template: { ...spec.template, systemPrompt: 'Be brief.' } },
    })
    expect(again.revision.id).toBe(first.revision.id)
    expect(moved.revision.id).toBe(first.revision.id)
    expect(revised.revision.id).not.toBe(first.revision.id)
    expect(revised.id).toBe(first.id)
    expect(revised.replicas).toHaveLength(1)
  })

  it('still shows a revision that a later one replaced, and to its own tenant only', async () => {
    const owner = newTenant()
    const request = { name: 'lineage', servedModel: 'tiny', nodeId: 'node_1', spec }
    const first = await serving.deploy(owner, request)
    expect(await serving.revision(owner, first.revision.id)).toEqual({
      ...first.revision,
      deployment: { id: first.id, name: 'lineage' },
      current: true,
    })
    const later = await serving.deploy(owner, {
      ...request,
      spec: { ...spec, engine: { ...spec.engine, version: '2' } },
    })
    expect(await serving.revision(owner, first.revision.id)).toMatchObject({
      digest: first.revision.digest,
      current: false,
    })
    expect(await serving.revision(owner, later.revision.id)).toMatchObject({
      spec: { engine: { version: '2' } },
      current: true,
    })
    await expect(serving.revision(newTenant(), first.revision.id)).rejects.toMatchObject({
      code: 'serving.revision.unknown',
    })
  })

  it('keeps one tenant’s deployments out of another’s sight', async () => {
    const [owner, stranger] = [newTenant(), newTenant()]
    const mine = await serving.deploy(owner, { name: 'b', servedModel: 'tiny', nodeId: 'node_1', spec })
    expect(await serving.list(stranger, { after: null, limit: 100 })).toEqual([])
    await expect(serving.get(stranger, mine.id)).rejects.toMatchObject({ code: 'serving.deployment.unknown' })
    await expect(serving.stop(stranger, mine.id)).rejects.toMatchObject({ code: 'serving.deployment.unknown' })
    expect((await serving.get(owner, mine.id)).state).toBe('starting')
  })

  it('routes to a replica as its agent reports it, and to none that was stopped', async () => {
    const owner = newTenant()
    const mine = await serving.deploy(owner, { name: 'c', servedModel: 'routed', nodeId: 'node_7', spec })
    const [work] = (await serving.engineWorkloads()).get('node_7') ?? []
    const report = {
      id: work?.id ?? '',
      endpoint: 'unix:/run/c.sock',
      restarts: 1,
      error: null,
      progress: null,
      result: null,
    }
    expect(await serving.observe('node_7', [{ ...report, state: 'ready' }])).toEqual({ changed: true })
    expect(await serving.observe('node_7', [{ ...report, state: 'ready' }])).toEqual({ changed: false })
    const route = (await serving.gatewayRoutes()).find((item) => item.model === 'routed')
    expect(route).toMatchObject({
      tenantId: owner.tenantId,
      replicas: [{ endpoint: 'unix:/run/c.sock', ready: true, revisionId: mine.revision.id }],
    })
    await serving.stop(owner, mine.id)
    expect((await serving.gatewayRoutes()).some((item) => item.model === 'routed')).toBe(false)
    expect((await serving.engineWorkloads()).get('node_7') ?? []).toEqual([])
  })

  it('ignores what another node says of a replica', async () => {
    const owner = newTenant()
    await serving.deploy(owner, { name: 'd', servedModel: 'tiny', nodeId: 'node_8', spec })
    const [work] = (await serving.engineWorkloads()).get('node_8') ?? []
    const forged = {
      id: work?.id ?? '',
      state: 'ready',
      endpoint: 'unix:/evil',
      restarts: 0,
      error: null,
      progress: null,
      result: null,
    }
    expect(await serving.observe('node_9', [forged])).toEqual({ changed: false })
  })

  it('refuses to change a revision, even to the database’s owner', async () => {
    await serving.deploy(newTenant(), { name: 'e', servedModel: 'tiny', nodeId: 'node_1', spec })
    const change = test.store
      .tables<Record<string, never>>()
      .run({ kind: 'system', actor: { kind: 'system', id: 'test' } }, (tx) =>
        sql`update deployment_revisions set digest = 'other'`.execute(tx),
      )
    await expect(change).rejects.toThrow(/immutable/)
  })
})

describe('revision digest', () => {
  it('follows every setting that decides an answer, and not the place of the file', () => {
    const text = fc.string({ maxLength: 20 })
    fc.assert(
      fc.property(text, text, fc.integer({ min: 1, max: 64 }), (templateText, path, slots) => {
        const changed = {
          ...spec,
          template: { ...spec.template, text: templateText },
          config: { ...spec.config, slots },
        }
        const same = templateText === spec.template.text && slots === spec.config.slots
        expect(revisionDigest(changed) === revisionDigest(spec)).toBe(same)
        expect(revisionDigest({ ...spec, model: { ...spec.model, path } })).toBe(revisionDigest(spec))
      }),
    )
  })
})

describe('state of a deployment', () => {
  it('is ready only when every replica is, and never ready without one', () => {
    const states = fc.array(fc.constantFrom('pending', 'starting', 'checking', 'ready', 'restarting', 'failed'), {
      maxLength: 6,
    })
    fc.assert(
      fc.property(states, (replicas) => {
        const state = deploymentState('running', replicas)
        expect(state === 'ready').toBe(replicas.length > 0 && replicas.every((replica) => replica === 'ready'))
        expect(deploymentState('stopped', replicas)).toBe('stopped')
      }),
    )
  })
})
