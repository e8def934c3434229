import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { generateNodeKey, type NodeKey } from '@medley/enrolment'
import type { AgentReport } from '@medley/fleet/protocol'
import { startTestStore, type TestStore } from '@medley/testkit'
import { type ComposedServer, compose } from '../compose.ts'
import type { ServerConfig } from '../config.ts'
import { createApp } from './app.ts'

type App = ReturnType<typeof createApp>
type Init = RequestInit & { headers?: Record<string, string> }

export const CONSOLE = 'http://127.0.0.1:7070'

/** A composed server on a database and a folder of its own, with ways to ask it as each kind of caller. */
export interface TestFactory {
  readonly server: ComposedServer
  readonly store: TestStore['store']
  readonly app: App
  readonly asOperator: (path: string, init?: Init) => Promise<Response>
  readonly asProcess: (path: string, body?: unknown) => Promise<Response>
  /** Joins as the factory's own agent does. */
  readonly joinOwn: (nodeKey: string) => Promise<{ readonly nodeId: string; readonly key: NodeKey }>
  /** A node that joined, and told of itself once. @returns its id */
  readonly report: (report: AgentReport) => Promise<string>
  /** The same app on a port of its own, agents' connections included. @returns its address */
  readonly listen: () => Promise<string>
  /** Signs in by a one-time link. @returns the cookie as a browser sends it back. */
  readonly signIn: (userId: string) => Promise<string>
  /** The same factory after a restart of its server. */
  readonly restarted: () => Promise<ComposedServer>
  close(): Promise<void>
}

export async function startTestFactory(
  change: Partial<ServerConfig> = {},
  env: NodeJS.ProcessEnv = {},
): Promise<TestFactory> {
  const test = await startTestStore()
  const data = await mkdtemp(join(tmpdir(), 'medley-server-'))
  const config: ServerConfig = {
    version: '0.0.0-test',
    listen: { host: '127.0.0.1', port: 0 },
    consoleUrl: CONSOLE,
    gatewayUrl: 'http://127.0.0.1:7071',
    dataDirectory: data,
    consoleDirectory: join(data, 'console'),
    store: { kind: 'embedded', connection: { ...test.connection } },
    starter: { model: null, file: null, prove: false },
    fleet: { sampleIntervalMs: 15_000 },
    ...change,
  }
  const server = await compose(config, env)
  const app = createApp(server.factory)
  const secrets = JSON.parse(await readFile(join(data, 'instance', 'secrets.json'), 'utf8')) as {
    operatorToken: string
    internalToken: string
  }
  const started = [server]
  const listening: Server[] = []
  const nodes = new Map<string, string>()

  async function joinOwn(nodeKey: string) {
    const key = generateNodeKey()
    const request = { nodeKey, hostname: nodeKey, publicKey: key.publicKey, agentVersion: '0', simulated: false }
    const { nodeId } = await server.factory.joinOwn(request)
    nodes.set(nodeKey, nodeId)
    return { nodeId, key }
  }

  return {
    joinOwn,
    report: async (report) => {
      const nodeId = nodes.get(report.nodeKey) ?? (await joinOwn(report.nodeKey)).nodeId
      await server.factory.orders.absorb(nodeId, report, null)
      return nodeId
    },
    listen: async () => {
      const http = createServer(getRequestListener(app.fetch))
      server.factory.channel.attach(http)
      listening.push(http)
      await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
      return `http://127.0.0.1:${(http.address() as AddressInfo).port}`
    },
    server,
    store: test.store,
    app,
    asOperator: async (path, init = {}) =>
      app.request(path, {
        ...init,
        headers: {
          authorization: `Bearer ${secrets.operatorToken}`,
          'content-type': 'application/json',
          ...init.headers,
        },
      }),
    asProcess: async (path, body) =>
      app.request(path, {
        headers: { authorization: `Bearer ${secrets.internalToken}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      }),
    signIn: async (userId) => {
      const { token } = await server.factory.identity.oneTimeLinks.create(userId)
      const answer = await app.request('/api/auth/one-time-link/verify', {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: CONSOLE },
        body: JSON.stringify({ token }),
      })
      return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
    },
    restarted: async () => {
      const again = await compose(config, env)
      started.push(again)
      return again
    },
    close: async () => {
      for (const each of started) await each.close()
      for (const http of listening) {
        http.closeAllConnections()
        await new Promise((resolve) => http.close(resolve))
      }
      await test.close()
      await rm(data, { recursive: true, force: true })
    },
  }
}
