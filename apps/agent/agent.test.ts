import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Workload, WorkloadStatus } from '@medley/fleet/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { startStandInServer } from './fixtures/stand-in-server.ts'

const AGENT = fileURLToPath(new URL('./fixtures/scripted-agent.ts', import.meta.url))
const TOKEN = 'a token of this test'
const PATIENCE_MS = 60_000

const LIMITS = {
  healthPollStartingMs: 50,
  healthPollReadyMs: 100,
  healthTimeoutMs: 300,
  hangTimeoutMs: 1_000,
  readyTimeoutMs: 20_000,
  backoffInitialMs: 50,
  backoffMaxMs: 200,
  stopGraceMs: 5_000,
  heartbeatMs: 200,
  serverBackoffMaxMs: 300,
}

const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

async function setUp(limits: Partial<typeof LIMITS> = {}) {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'medley-t-'))
  const server = await startStandInServer(TOKEN)
  await writeFile(path.join(directory, 'secrets.json'), JSON.stringify({ internalToken: TOKEN }))
  const configFile = path.join(directory, 'agent.json')
  const config = {
    dataDirectory: path.join(directory, 'd'),
    runDirectory: path.join(directory, 'r'),
    serverUrl: server.url,
    tokenFile: path.join(directory, 'secrets.json'),
    limits: { ...LIMITS, ...limits },
  }
  await writeFile(configFile, JSON.stringify(config))
  const agents: ChildProcess[] = []
  const startAgent = async (waitReady = true): Promise<ChildProcess> => {
    const agent = fork(AGENT, [], {
      env: { ...process.env, MEDLEY_AGENT_CONFIG: configFile },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    })
    agents.push(agent)
    if (waitReady) await once(agent, 'message')
    return agent
  }
  undo.push(async () => {
    server.setAway(false)
    server.want([])
    // Whatever a test left running is stopped by one last agent that nobody wants anything from.
    const last = await startAgent()
    const exited = once(last, 'exit')
    last.send({ type: 'shutdown' })
    await exited
    for (const agent of agents) agent.kill('SIGKILL')
    await server.close()
    await rm(directory, { recursive: true, force: true })
  })
  return { directory, config, server, startAgent }
}

function engine(id: string, script: string, digest = 'd1'): Workload {
  const spec = {
    replicaId: id,
    revisionId: 'revision_1',
    family: 'scripted',
    servedModel: 'starter',
    modelPath: script,
    modelDigest: 'sha256:0',
    template: { name: 't', text: '', systemPrompt: null, stop: [] },
    config: {
      slots: 1,
      contextTokens: 128,
      threads: 1,
      batchTokens: 32,
      flashAttention: false,
      promptLookup: null,
      maxQueue: 1,
    },
    golden: null,
    chipUuids: [],
  }
  return { id, kind: 'engine', digest, spec }
}

type Server = Awaited<ReturnType<typeof startStandInServer>>

async function until<Value>(what: string, read: () => Value | null | undefined | false): Promise<Value> {
  const end = Date.now() + PATIENCE_MS
  while (Date.now() < end) {
    const value = read()
    if (value) return value
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error(`never happened: ${what}`)
}

function statusOf(server: Server, id: string): WorkloadStatus | undefined {
  return server.last()?.workloads.find((workload) => workload.id === id)
}

async function untilReady(server: Server, id: string): Promise<{ status: WorkloadStatus; pid: number }> {
  const status = await until(`${id} ready`, () => {
    const found = statusOf(server, id)
    return found?.state === 'ready' && found
  })
  return { status, pid: pidOf(status) }
}

function pidOf(status: WorkloadStatus): number {
  const facts = status.result
  return typeof facts === 'object' && facts !== null && 'pid' in facts ? Number(facts.pid) : 0
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('the agent', { timeout: 4 * PATIENCE_MS }, () => {
  it('reports the chips of this machine and starts the engine that the server wants', async () => {
    const { server, startAgent } = await setUp()
    server.want([engine('replica_1', 'slow:300')])
    await startAgent()
    const { status, pid } = await untilReady(server, 'replica_1')
    expect(status).toMatchObject({ digest: 'd1', restarts: 0, error: null, progress: null })
    expect(status.endpoint).toMatch(/^unix:\/.+\/engine\.sock$/)
    expect(isAlive(pid)).toBe(true)
    expect(server.last()?.chips.map((chip) => chip.vendor)).toContain('cpu')
  })
})
