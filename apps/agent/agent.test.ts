import { once } from 'node:events'
import { rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import {
  engine,
  enginesUnder,
  isAlive,
  PATIENCE_MS,
  setUp,
  statusOf,
  tearDown,
  until,
  untilReady,
} from './fixtures/factory.ts'
import { callEngine } from './workloads/engine-client.ts'

afterEach(tearDown)

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
    expect(server.last()?.facts.engines).toEqual([{ family: 'scripted', version: 'scripted 1', binaryDigest: null }])
  })

  it('is adopted: an engine keeps running through kill -9 of the agent', async () => {
    const { server, startAgent } = await setUp()
    server.want([engine('replica_1', 'ready')])
    const first = await startAgent()
    const before = await untilReady(server, 'replica_1')
    const boot = server.last()?.bootId
    first.kill('SIGKILL')
    await once(first, 'exit')
    await startAgent()
    await until('the new agent reports', () => server.last()?.bootId !== boot)
    const after = await untilReady(server, 'replica_1')
    expect(after.pid).toBe(before.pid)
    expect(after.status.endpoint).toBe(before.status.endpoint)
    const told = server.all().filter((report) => report.bootId !== boot)
    const states = told.flatMap((report) => report.workloads.map((workload) => workload.state))
    // Not for one report: the server would take it out of its routes.
    expect(states.length).toBe(told.length)
    expect(new Set(states)).toEqual(new Set(['ready']))
  })

  it('keeps and restarts engines when it is restarted while the server is away', async () => {
    const { server, startAgent } = await setUp()
    server.want([engine('replica_1', 'ready'), engine('replica_2', 'ready')])
    const first = await startAgent()
    const kept = await untilReady(server, 'replica_1')
    const crashed = await untilReady(server, 'replica_2')
    server.setAway(true)
    first.kill('SIGKILL')
    await once(first, 'exit')
    process.kill(crashed.pid, 'SIGKILL')
    const boot = server.last()?.bootId
    await startAgent(false)
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    server.setAway(false)
    await until('the new agent reports', () => server.last()?.bootId !== boot)
    expect((await untilReady(server, 'replica_1')).pid).toBe(kept.pid)
    const again = await untilReady(server, 'replica_2')
    expect(again.pid).not.toBe(crashed.pid)
    expect(again.status.endpoint).toBe(crashed.status.endpoint)
  })

  it('restarts an engine that is killed, at the same endpoint, and says why', async () => {
    const { server, startAgent } = await setUp({ backoffInitialMs: 1_500, backoffMaxMs: 1_500 })
    server.want([engine('replica_1', 'ready')])
    await startAgent()
    const before = await untilReady(server, 'replica_1')
    process.kill(before.pid, 'SIGKILL')
    const broken = await until('restarting', () => {
      const found = statusOf(server, 'replica_1')
      return found?.state === 'restarting' && found
    })
    expect(broken.error).toMatchObject({ code: 'agent.engine.exited', params: { reason: 'SIGKILL' } })
    expect(broken.endpoint).toBe(before.status.endpoint)
    const after = await untilReady(server, 'replica_1')
    expect(after.pid).not.toBe(before.pid)
    expect(after.status).toMatchObject({ restarts: 1, error: null, endpoint: before.status.endpoint })
  })

  it('restarts an engine that hangs', async () => {
    const { server, startAgent } = await setUp({
      healthTimeoutMs: 500,
      hangTimeoutMs: 2_000,
      backoffInitialMs: 1_500,
      backoffMaxMs: 1_500,
    })
    server.want([engine('replica_1', 'ready')])
    await startAgent()
    const before = await untilReady(server, 'replica_1')
    await callEngine(before.status.endpoint ?? '', {
      path: '/control/silence',
      signal: AbortSignal.timeout(200),
    }).catch(() => undefined)
    const broken = await until('noticed', () => statusOf(server, 'replica_1')?.error)
    expect(broken.code).toBe('agent.engine.hang')
    const after = await untilReady(server, 'replica_1')
    expect(after.pid).not.toBe(before.pid)
    expect(isAlive(before.pid)).toBe(false)
  })

  it('gives up on an engine that never becomes ready, and tries again', async () => {
    const { server, startAgent } = await setUp({ readyTimeoutMs: 700 })
    server.want([engine('replica_1', 'slow:600000')])
    await startAgent()
    const broken = await until('noticed', () => statusOf(server, 'replica_1')?.error)
    expect(broken.code).toBe('agent.engine.start-timeout')
    await until('tried again', () => (statusOf(server, 'replica_1')?.restarts ?? 0) >= 2)
  })

  it('says failed after several tries, with the last line of the log, and comes back when replaced', async () => {
    const { server, startAgent } = await setUp()
    server.want([engine('replica_1', 'exit')])
    await startAgent()
    const failed = await until('failed', () => {
      const found = statusOf(server, 'replica_1')
      return found?.state === 'failed' && found
    })
    expect(failed.error).toMatchObject({
      code: 'agent.engine.exited',
      params: { reason: 'exit 3', line: 'no such model' },
    })
    server.want([engine('replica_1', 'ready', 'd2')])
    const { status } = await untilReady(server, 'replica_1')
    expect(status).toMatchObject({ digest: 'd2', restarts: 0 })
  })

  it('hands on what an engine says of its own failure and does not try again at once', async () => {
    const { server, startAgent } = await setUp()
    server.want([engine('replica_1', 'failed')])
    await startAgent()
    const failed = await until('failed', () => {
      const found = statusOf(server, 'replica_1')
      return found?.state === 'failed' && found
    })
    expect(failed).toMatchObject({ restarts: 1, error: { code: 'engine.golden.mismatch', params: { answer: 'Rome' } } })
  })

  it('refuses a spec it cannot run, without a process', async () => {
    const { server, startAgent } = await setUp()
    const unknown = engine('replica_2', 'ready')
    server.want([
      { ...engine('replica_1', 'ready'), spec: { family: 'scripted' } },
      { ...unknown, spec: { ...(unknown.spec as object), family: 'no-such' } },
    ])
    await startAgent()
    await until('both failed', () => server.last()?.workloads.filter((found) => found.state === 'failed').length === 2)
    expect(statusOf(server, 'replica_1')?.error?.code).toBe('agent.spec.invalid')
    expect(statusOf(server, 'replica_2')?.error).toEqual({
      code: 'agent.family.unknown',
      params: { family: 'no-such' },
    })
  })

  it('replaces an engine whose digest changed, and stops one that is no longer wanted', async () => {
    const { server, startAgent } = await setUp()
    server.want([engine('replica_1', 'ready')])
    await startAgent()
    const old = await untilReady(server, 'replica_1')
    server.want([engine('replica_1', 'ready', 'd2')])
    await until('replaced', () => statusOf(server, 'replica_1')?.digest === 'd2')
    const replaced = await untilReady(server, 'replica_1')
    expect(isAlive(old.pid)).toBe(false)
    server.want([])
    await until('gone from the report', () => server.last()?.workloads.length === 0)
    expect(isAlive(replaced.pid)).toBe(false)
  })

  it('stops at its restart what the server stopped wanting meanwhile', async () => {
    const { directory, server, startAgent } = await setUp()
    server.want([engine('replica_1', 'ready')])
    const first = await startAgent()
    const { pid } = await untilReady(server, 'replica_1')
    first.kill('SIGKILL')
    await once(first, 'exit')
    // As if the orders on disk were lost too: only the process itself tells of the engine.
    await rm(path.join(directory, 'd'), { recursive: true })
    server.want([])
    await startAgent()
    await until('reaped', () => !isAlive(pid))
    expect(statusOf(server, 'replica_1')).toBeUndefined()
  })

  it('stops its engines on a shutdown and leaves them running on a mere stop', async () => {
    const { server, startAgent } = await setUp()
    server.want([engine('replica_1', 'ready')])
    const first = await startAgent()
    const { pid } = await untilReady(server, 'replica_1')
    first.kill('SIGTERM')
    await once(first, 'exit')
    expect(isAlive(pid)).toBe(true)
    const second = await startAgent()
    expect((await untilReady(server, 'replica_1')).pid).toBe(pid)
    second.send({ type: 'shutdown' })
    await once(second, 'exit')
    // An adopted process is buried by init, in its own time.
    await until('stopped', () => !isAlive(pid))
  })

  it('tells engines where its heartbeat is and keeps it beating', async () => {
    const { config, server, startAgent } = await setUp()
    server.want([engine('replica_1', 'ready')])
    await startAgent()
    const { status } = await untilReady(server, 'replica_1')
    expect(status.result).toMatchObject({ heartbeat: path.join(config.runDirectory, 'heartbeat') })
    const before = (await stat(path.join(config.runDirectory, 'heartbeat'))).mtimeMs
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect((await stat(path.join(config.runDirectory, 'heartbeat'))).mtimeMs).toBeGreaterThan(before)
  })

  it('keeps its node key over restarts', async () => {
    const { server, startAgent } = await setUp()
    const first = await startAgent()
    const { nodeKey, bootId } = await until('reported', () => server.last())
    first.kill('SIGKILL')
    await once(first, 'exit')
    await startAgent()
    const again = await until('reported', () => server.last()?.bootId !== bootId && server.last())
    expect(again.nodeKey).toBe(nodeKey)
  })

  it('runs one engine, however often it is killed while it starts one', async () => {
    const { config, server, startAgent } = await setUp()
    server.want([engine('replica_1', 'slow:400')])
    for (let round = 0; round < 8; round += 1) {
      const agent = await startAgent(false)
      await new Promise((resolve) => setTimeout(resolve, 250 + round * 90))
      agent.kill('SIGKILL')
      // Now and then the engine dies with it.
      if (round % 3 === 2) for (const pid of await enginesUnder(config.runDirectory)) process.kill(pid, 'SIGKILL')
    }
    await startAgent()
    const { pid } = await untilReady(server, 'replica_1')
    expect(await enginesUnder(config.runDirectory)).toEqual([pid])
  })

  it('ends a predecessor that has not noticed that it was replaced', async () => {
    const { config, server, startAgent } = await setUp()
    server.want([engine('replica_1', 'ready')])
    const first = await startAgent()
    const { pid } = await untilReady(server, 'replica_1')
    const exited = once(first, 'exit')
    await startAgent()
    expect(await exited).toEqual([null, 'SIGKILL'])
    expect((await untilReady(server, 'replica_1')).pid).toBe(pid)
    expect(await enginesUnder(config.runDirectory)).toEqual([pid])
  })

  it('leaves nothing behind on a shutdown, not even what is in no orders', async () => {
    const { directory, config, server, startAgent } = await setUp()
    server.want([engine('replica_1', 'ready')])
    const first = await startAgent()
    const { pid } = await untilReady(server, 'replica_1')
    first.kill('SIGKILL')
    await once(first, 'exit')
    await rm(path.join(directory, 'd'), { recursive: true })
    server.setAway(true)
    const second = await startAgent(false)
    second.send({ type: 'shutdown' })
    await once(second, 'exit')
    await until('stopped', () => !isAlive(pid))
    expect(await enginesUnder(config.runDirectory)).toEqual([])
  })
})
