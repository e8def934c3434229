import { createHmac } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GatewayKey, GatewaySnapshot } from '@medley/serving/protocol'
import OpenAI from 'openai'
import { type GatewayConfig, gatewayConfig } from '../config.ts'
import { type Gateway, startGateway } from '../gateway.ts'
import { type EngineScript, type ScriptedEngine, startEngine } from './scripted-engine.ts'
import { type ScriptedServer, startServer } from './scripted-server.ts'

export const PEPPER = 'pepper-of-the-tests'
export const INTERNAL_TOKEN = 'internal-token-of-the-tests'
export const KEY = 'mk_abc123_secretsecretsecret'
const TENANT = 'tenant_01890000-0000-7000-8000-000000000001'
const PROJECT = 'project_01890000-0000-7000-8000-000000000002'

export function keyOf(token: string, overrides: Partial<GatewayKey> = {}): GatewayKey {
  return {
    id: `key_${token}`,
    prefix: token.split('_')[1] ?? '',
    hash: createHmac('sha256', PEPPER).update(token).digest('hex'),
    tenantId: TENANT,
    projectId: PROJECT,
    scopes: ['inference'],
    expiresAt: null,
    ...overrides,
  }
}

export interface Bench {
  readonly directory: string
  readonly config: GatewayConfig
  readonly engine: ScriptedEngine
  readonly server: ScriptedServer
  readonly gateway: Gateway
  readonly url: string
  readonly client: OpenAI
  snapshot(change?: Partial<GatewaySnapshot>): GatewaySnapshot
  post(path: string, body: string, headers?: Record<string, string>): Promise<Response>
  close(): Promise<void>
}

export interface BenchOptions {
  readonly config?: Partial<GatewayConfig>
  readonly script?: EngineScript
}

export function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'medley-gw-'))
}

/** The files a worker needs, as the supervisor writes them. */
export function writeConfig(directory: string, serverUrl: string, overrides: Partial<GatewayConfig> = {}) {
  mkdirSync(join(directory, 'gateway'), { recursive: true })
  const secretsFile = join(directory, 'secrets.json')
  writeFileSync(secretsFile, JSON.stringify({ pepper: PEPPER, internalToken: INTERNAL_TOKEN }), { mode: 0o600 })
  const config = gatewayConfig.parse({
    listen: { host: '127.0.0.1', port: 0 },
    dataDirectory: join(directory, 'gateway'),
    serverUrl,
    secretsFile,
    shipDelayMs: 5,
    ...overrides,
  })
  const path = join(directory, 'gateway.json')
  writeFileSync(path, JSON.stringify(config))
  return { path, config }
}

export function snapshotFor(endpoint: string, change: Partial<GatewaySnapshot> = {}): GatewaySnapshot {
  const replica = { id: 'replica_1', revisionId: 'revision_1', endpoint, ready: true, chipUuids: ['cpu-0'] }
  return {
    revision: 1,
    keys: [keyOf(KEY), keyOf('mk_old_expired', { expiresAt: 1 }), keyOf('mk_noscope_secret', { scopes: ['read'] })],
    routes: [
      {
        model: 'tiny',
        tenantId: null,
        created: 1_700_000_000,
        capabilities: ['chat', 'completion'],
        replicas: [replica],
      },
      {
        model: 'vec',
        tenantId: null,
        created: 1_700_000_000,
        capabilities: ['embedding'],
        replicas: [{ ...replica, id: 'replica_2' }],
      },
    ],
    ...change,
  }
}

export async function startBench({ config: overrides = {}, script }: BenchOptions = {}): Promise<Bench> {
  const directory = newDirectory()
  const engine = await startEngine(join(directory, 'engine.sock'), script)
  const server = await startServer(snapshotFor(engine.endpoint))
  const { config } = writeConfig(directory, server.url, overrides)
  const secrets = { pepper: PEPPER, internalToken: INTERNAL_TOKEN }
  const gateway = await startGateway({ config, secrets, clock: Date, log: () => {} })
  const url = `http://127.0.0.1:${gateway.port}`
  await untilReady(url)
  return {
    directory,
    config,
    engine,
    server,
    gateway,
    url,
    client: new OpenAI({ baseURL: `${url}/v1`, apiKey: KEY, maxRetries: 0 }),
    snapshot: (change) => snapshotFor(engine.endpoint, change),
    post: (path, body, headers = {}) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
      }),
    close: async () => {
      await gateway.drain()
      await engine.close()
      await server.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export async function untilReady(url: string): Promise<void> {
  for (;;) {
    const status = await fetch(`${url}/readyz`).then(
      (response) => response.status,
      () => 0,
    )
    if (status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
