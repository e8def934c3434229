import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { startGateway } from './gateway.ts'
import { type Bench, INTERNAL_TOKEN, PEPPER, startBench, untilReady } from './testing/bench.ts'
import { answerChat, startEngine } from './testing/scripted-engine.ts'

const CHAT = '/v1/chat/completions'
const BODY = JSON.stringify({ model: 'tiny', messages: [{ role: 'user', content: 'hello' }] })

function replica(id: string, endpoint: string | null, ready = true) {
  return { id, revisionId: `revision_of_${id}`, endpoint, ready, chipUuids: [] }
}

async function publish(bench: Bench, revision: number, replicas: ReturnType<typeof replica>[]): Promise<void> {
  const model = `tiny-${revision}`
  const routes = [model, 'tiny'].map((name) => ({
    model: name,
    tenantId: null,
    created: 1,
    capabilities: ['chat' as const],
    replicas: replicas.map((each) => ({ ...each, id: name === 'tiny' ? each.id : `${each.id}-${revision}` })),
  }))
  bench.server.publish(bench.snapshot({ revision, routes }))
  const names = async () => {
    const listed = []
    for await (const { id } of bench.client.models.list()) listed.push(id)
    return listed
  }
  await expect.poll(names, { timeout: 10_000 }).toContain(model)
}

describe('replicas', () => {
  let bench: Bench
  afterEach(() => bench.close())

  it('waits for an engine that restarts on its socket', async () => {
    bench = await startBench()
    await bench.engine.close()
    const asked = bench.post(CHAT, BODY)
    await new Promise((resolve) => setTimeout(resolve, 200))
    const again = await startEngine(join(bench.directory, 'engine.sock'))
    const response = await asked
    expect(response.status).toBe(200)
    const records = await bench.server.record(response.headers.get('x-request-id') ?? '')
    expect(records).toMatchObject({ outcome: 'completed', replicaId: 'replica_1' })
    await again.close()
  })

  it('waits for an engine that runs but still loads', async () => {
    bench = await startBench()
    bench.engine.healthy = false
    bench.engine.script = (request, response) => {
      if (bench.engine.healthy) return answerChat(request, response)
      response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '2' })
      response.end(JSON.stringify({ error: { message: 'loading', type: 'server_error', code: 'engine_starting' } }))
    }
    const asked = bench.post(CHAT, BODY)
    await expect.poll(() => bench.engine.requests.length, { timeout: 10_000 }).toBe(1)
    bench.engine.healthy = true
    expect((await asked).status).toBe(200)
    expect(bench.engine.requests).toHaveLength(2)
  })

  it('passes on that an engine is busy', async () => {
    bench = await startBench({
      script: (_request, response) => {
        response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '3' })
        response.end(JSON.stringify({ error: { message: 'queue full', type: 'server_error', code: 'engine_busy' } }))
      },
    })
    const response = await bench.post(CHAT, BODY)
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('3')
    const record = await bench.server.record(response.headers.get('x-request-id') ?? '')
    expect(record).toMatchObject({ outcome: 'failed', errorCode: 'engine_busy' })
  })

  it('gives up with 503 and Retry-After, and records that', async () => {
    bench = await startBench({ config: { replicaWaitMs: 150 } })
    await bench.engine.close()
    const response = await bench.post(CHAT, BODY)
    expect(response.status).toBe(503)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await response.json()).toMatchObject({ error: { code: 'no_replica', type: 'server_error' } })
    const record = await bench.server.record(response.headers.get('x-request-id') ?? '')
    expect(record).toMatchObject({ outcome: 'failed', httpStatus: 503, errorCode: 'no_replica', promptTokens: null })
  })

  it('hides a connection that broke before the first byte', async () => {
    bench = await startBench()
    let broken = 0
    bench.engine.script = (request, response) => {
      broken += 1
      if (broken > 1) return answerChat(request, response)
      response.socket?.destroy()
    }
    expect((await bench.post(CHAT, BODY)).status).toBe(200)
    expect(broken).toBe(2)
  })

  it('does not feed a request for ever to engines that die of it', async () => {
    bench = await startBench({ script: (_request, response) => void response.socket?.destroy() })
    const response = await bench.post(CHAT, BODY)
    expect(response.status).toBe(502)
    expect(await response.json()).toMatchObject({ error: { code: 'engine_lost', type: 'upstream_error' } })
    expect(bench.engine.requests).toHaveLength(3)
  })

  it('turns to another replica when one is gone', async () => {
    bench = await startBench()
    await publish(bench, 2, [
      replica('gone', `unix:${join(bench.directory, 'gone.sock')}`),
      replica('here', bench.engine.endpoint),
    ])
    const responses = await Promise.all([1, 2, 3, 4].map(() => bench.post(CHAT, BODY)))
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    const revisions = responses.map(({ headers }) => headers.get('x-medley-revision'))
    expect(new Set(revisions)).toEqual(new Set(['revision_of_here']))
  })

  it('shares requests out to the least busy replica', async () => {
    bench = await startBench()
    const second = await startEngine(join(bench.directory, 'second.sock'))
    const held: (() => void)[] = []
    for (const engine of [bench.engine, second]) {
      engine.script = (request, response) => {
        held.push(() => answerChat(request, response))
      }
    }
    await publish(bench, 2, [replica('first', bench.engine.endpoint), replica('second', second.endpoint)])
    const asked = Promise.all([1, 2, 3, 4].map(() => bench.post(CHAT, BODY)))
    await expect.poll(() => held.length, { timeout: 10_000 }).toBe(4)
    for (const answer of held) answer()
    await asked
    expect([bench.engine.requests.length, second.requests.length]).toEqual([2, 2])
    await second.close()
  })

  it('serves from a replica the server does not yet call ready, once its health says so', async () => {
    bench = await startBench()
    await publish(bench, 2, [replica('late', bench.engine.endpoint, false)])
    expect((await bench.post(CHAT, BODY)).status).toBe(200)
  })

  it('waits for a replica to appear in the snapshot', async () => {
    bench = await startBench()
    await publish(bench, 2, [replica('planned', null, false)])
    const asked = bench.post(CHAT, BODY)
    await publish(bench, 3, [replica('planned', bench.engine.endpoint)])
    expect((await asked).headers.get('x-medley-revision')).toBe('revision_of_planned')
  })

  it('answers on without the server, and after a restart from its own disk', async () => {
    bench = await startBench()
    await bench.server.close()
    expect((await bench.post(CHAT, BODY)).status).toBe(200)
    await bench.gateway.drain()
    const secrets = { pepper: PEPPER, internalToken: INTERNAL_TOKEN }
    const gateway = await startGateway({ config: bench.config, secrets, clock: Date, log: () => {} })
    const url = `http://127.0.0.1:${gateway.port}`
    await untilReady(url)
    const headers = { authorization: 'Bearer mk_abc123_secretsecretsecret', 'content-type': 'application/json' }
    const response = await fetch(`${url}${CHAT}`, { method: 'POST', headers, body: BODY })
    expect(response.status).toBe(200)
    await gateway.drain()
    bench = await startBench()
  })
})
