import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { generateNodeKey } from '@medley/enrolment'
import type { AgentReport, EngineBuild, WorkloadStatus } from '@medley/fleet/protocol'
import type { Id, TenantScope } from '@medley/kernel'
import type { DeploymentView } from '@medley/serving'
import { starterModel, startTestStore, type TestStore } from '@medley/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ComposedServer, compose } from './compose.ts'
import { agentReport } from './http/test-samples.ts'

const MODEL = 'smollm2-135m-instruct'

describe('the starter deployment', { timeout: 120_000 }, () => {
  let test: TestStore
  let data: string
  const servers: ComposedServer[] = []

  beforeAll(async () => {
    test = await startTestStore()
    data = await mkdtemp(join(tmpdir(), 'medley-starter-'))
  })
  afterAll(async () => {
    for (const server of servers) await server.close()
    await test.close()
    await rm(data, { recursive: true, force: true })
  })

  /** A whole start of the server beside an agent of that engine build, up to where the factory answers. */
  async function start(build: EngineBuild): Promise<DeploymentView> {
    const server = await compose(
      {
        version: '0.0.0-test',
        listen: { host: '127.0.0.1', port: 0 },
        consoleUrl: 'http://127.0.0.1:7070',
        gatewayUrl: 'http://127.0.0.1:7071',
        dataDirectory: data,
        consoleDirectory: join(data, 'console'),
        store: { kind: 'embedded', connection: { ...test.connection } },
        starter: { model: MODEL, file: await starterModel(), prove: false },
        fleet: { sampleIntervalMs: 15_000 },
      },
      {},
    )
    servers.push(server)
    const stop = new AbortController()
    const agent = actAsAgent(server, build, stop.signal)
    await server.bringUp(stop.signal)
    const [deployment] = await server.factory.serving.list(await ownerOf(server), { after: null, limit: 10 })
    stop.abort()
    await agent
    if (!deployment) throw new Error('nothing was deployed')
    return deployment
  }

  it('names the engine’s build in its revision, and becomes a new one when the build is another', async () => {
    const old = { family: 'llama-cpp', version: 'library 1 / engine 1', binaryDigest: 'sha256:11' }
    const first = await start(old)
    expect(first.revision.spec.engine).toEqual(old)

    const again = await start(old)
    expect(again.revision.id).toBe(first.revision.id)

    const rebuilt = await start({ ...old, binaryDigest: 'sha256:22' })
    expect(rebuilt.id).toBe(first.id)
    expect(rebuilt.revision.digest).not.toBe(first.revision.digest)
    expect(rebuilt.revision.spec).toEqual({
      ...first.revision.spec,
      engine: { ...old, binaryDigest: 'sha256:22' },
    })
    expect(rebuilt.state).toBe('ready')

    const upgraded = await start({ ...old, version: 'library 2 / engine 2', binaryDigest: 'sha256:22' })
    expect(upgraded.revision.digest).not.toBe(rebuilt.revision.digest)
  })

  it('stays stopped over an upgrade, and is started again as what then runs', async () => {
    const build = { family: 'llama-cpp', version: 'library 3 / engine 3', binaryDigest: 'sha256:33' }
    const before = await start(build)
    const [server] = servers
    if (!server) throw new Error('no server')
    const owner = await ownerOf(server)
    await server.factory.serving.stop(owner, before.id)
    const upgraded = await start({ ...build, version: 'library 4 / engine 4' })
    expect(upgraded.state).toBe('stopped')
    expect(upgraded.revision.spec.engine.version).toBe('library 4 / engine 4')
    const started = await server.factory.serving.start(owner, before.id)
    expect(started.revision.digest).toBe(upgraded.revision.digest)
    expect(started.state).not.toBe('stopped')
  })
})

async function actAsAgent(server: ComposedServer, build: EngineBuild, signal: AbortSignal): Promise<void> {
  const { factory } = server
  const { nodeKey, facts } = agentReport()
  const { publicKey } = generateNodeKey()
  const request = { nodeKey, hostname: facts.hostname, publicKey, agentVersion: '0', simulated: false }
  const { nodeId } = await factory.joinOwn(request)
  await factory.fleet.presence(nodeId, true)
  let workloads: WorkloadStatus[] = []
  while (!signal.aborted) {
    const report = reportOf(build, workloads)
    await factory.orders.absorb(nodeId, report, null)
    const orders = await factory.orders.answer(nodeId, report, signal)
    workloads = orders.workloads.map(({ id, digest }) => ({
      id,
      digest,
      state: 'ready',
      endpoint: 'unix:/nowhere',
      restarts: 0,
      error: null,
      progress: null,
      result: null,
    }))
    await sleep(50)
  }
}

async function ownerOf(server: ComposedServer): Promise<TenantScope> {
  const snapshot = await server.factory.snapshots.after(-1, 0, new AbortController().signal)
  const [key] = snapshot?.keys ?? []
  if (!key) throw new Error('no key in the snapshot')
  return {
    kind: 'tenant',
    tenantId: key.tenantId as Id<'tenant'>,
    projectId: key.projectId as Id<'project'>,
    actor: { kind: 'user', id: 'user_test' },
  }
}

function reportOf(build: EngineBuild, workloads: WorkloadStatus[]): AgentReport {
  const report = agentReport()
  return { ...report, facts: { ...report.facts, engines: [build] }, workloads }
}
