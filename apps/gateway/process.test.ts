import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { UsageRecord } from '@medley/supply/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { GatewayConfig } from './config.ts'
import { KEY, newDirectory, snapshotFor, untilReady, writeConfig } from './testing/bench.ts'
import {
  beginEvents,
  chatEvents,
  type EngineScript,
  type ScriptedEngine,
  startEngine,
} from './testing/scripted-engine.ts'
import { type ScriptedServer, startServer } from './testing/scripted-server.ts'
import { startWorker, type Worker } from './testing/worker.ts'

const CHAT = '/v1/chat/completions'
const HEADERS = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' }

function bodyOf(stream: boolean, model = 'tiny'): string {
  return JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'hello' }] })
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Answers as an engine does: one event every few milliseconds. */
const unhurried: EngineScript = async ({ body }, response) => {
  if (!(JSON.parse(body) as { stream: boolean }).stream) {
    await sleep(15)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 5 } }))
    return
  }
  beginEvents(response)
  for (const event of chatEvents()) {
    response.write(event)
    await sleep(4)
  }
  response.end('data: [DONE]\n\n')
}

describe('gateway process', () => {
  let directory: string
  let engine: ScriptedEngine
  let server: ScriptedServer
  let worker: Worker | null

  beforeEach(async () => {
    directory = newDirectory()
    engine = await startEngine(join(directory, 'engine.sock'), unhurried)
    server = await startServer(snapshotFor(engine.endpoint))
    worker = null
  })
  afterEach(async () => {
    worker?.child.kill('SIGKILL')
    await worker?.exited
    await engine.close()
    await server.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const start = async (overrides: Partial<GatewayConfig> = {}, fileKiB: number | null = null) => {
    worker = await startWorker(writeConfig(directory, server.url, overrides).path, fileKiB)
    await untilReady(`http://127.0.0.1:${worker.port}`)
    return worker
  }
  const post = ({ port }: { port: number }, body: string) =>
    fetch(`http://127.0.0.1:${port}${CHAT}`, { method: 'POST', headers: HEADERS, body })

  it.each(['SIGTERM', 'disconnect'] as const)('finishes its streams at %s, then leaves with 0', async (cause) => {
    const running = await start()
    const response = await post(running, bodyOf(true))
    if (cause === 'SIGTERM') running.child.kill(cause)
    else running.child.disconnect()
    expect(await response.text()).toContain('data: [DONE]')
    expect(await running.exited).toEqual({ code: 0, signal: null })
    const requestId = response.headers.get('x-request-id') ?? ''
    expect(server.usage.get(requestId)).toMatchObject([{ outcome: 'completed', completionTokens: 5 }])
    await expect(post(running, bodyOf(false))).rejects.toThrow()
  })

  it('ends a stream that outlasts the drain time with an error event', async () => {
    engine.script = (_request, response) => {
      beginEvents(response)
      for (const event of chatEvents()) response.write(event)
    }
    const running = await start({ drainSeconds: 0.2 })
    const response = await post(running, bodyOf(true))
    running.child.kill('SIGTERM')
    const text = await response.text()
    expect(text).toMatch(/"code":"stopping"\}\}\n\n$/)
    expect(await running.exited).toEqual({ code: 0, signal: null })
    const record = server.usage.get(response.headers.get('x-request-id') ?? '')
    expect(record).toMatchObject([{ outcome: 'failed', errorCode: 'stopping', completionTokens: 5 }])
  })

  it('refuses to serve what it cannot record, and loses nothing it has answered', async () => {
    const running = await start({}, 16)
    const answered: string[] = []
    let refused: Response | null = null
    for (let index = 0; index < 60 && refused === null; index += 1) {
      const response = await post(running, bodyOf(false)).catch(() => null)
      // An answer that could not be recorded is cut, not completed.
      if (response === null) continue
      if (response.status === 200) answered.push(response.headers.get('x-request-id') ?? '')
      else refused = response
    }
    expect(refused?.status).toBe(503)
    expect(await refused?.json()).toMatchObject({ error: { code: 'metering_unavailable' } })
    expect(answered.length).toBeGreaterThan(3)
    for (const requestId of answered) await server.record(requestId)
    const readiness = await fetch(`http://127.0.0.1:${running.port}/readyz`)
    expect(await readiness.json()).toMatchObject({ reasons: ['journal'] })
  })

  it('keeps the record of every answer a client has seen the end of, whenever it is killed', async () => {
    const { port } = await start()
    writeConfig(directory, server.url, { listen: { host: '127.0.0.1', port } })
    const acknowledged = new Map<string, UsageRecord['outcome']>()
    let kills = 0
    const isDone = () => acknowledged.size >= 200 && kills >= 10

    const ask = async (index: number) => {
      const kind = index % 5
      const response = await post({ port }, bodyOf(kind > 1, kind === 0 ? 'huge' : 'tiny'))
      const text = await response.text()
      const isWhole = kind <= 1 || text.endsWith('data: [DONE]\n\n')
      const outcome = kind === 0 ? 'refused' : 'completed'
      if (isWhole) acknowledged.set(response.headers.get('x-request-id') ?? '', outcome)
    }
    const client = async (offset: number) => {
      for (let index = offset; !isDone(); index += 1) await ask(index).catch(() => sleep(10))
    }
    const killer = async () => {
      while (!isDone()) {
        // Counted in answers, not in time: on a busy machine a process needs seconds to start.
        const due = acknowledged.size + 3 + Math.floor(Math.random() * 15)
        while (acknowledged.size < due && !isDone()) await sleep(1 + Math.random() * 10)
        if (isDone()) return
        worker?.child.kill('SIGKILL')
        await worker?.exited
        kills += 1
        worker = await startWorker(join(directory, 'gateway.json'))
      }
    }
    await Promise.all([killer(), ...[0, 1, 2, 3, 4, 5].map(client)])
    expect(acknowledged.size).toBeGreaterThanOrEqual(200)

    for (const [requestId, outcome] of acknowledged) {
      expect(await server.record(requestId)).toMatchObject({ requestId, outcome })
    }
    // What was forwarded is recorded too, also where the worker died before it could tell how it ended.
    for (const { headers } of engine.requests) await server.record(String(headers['x-request-id']))
    for (const deliveries of server.usage.values()) {
      for (const again of deliveries) expect(again).toEqual(deliveries[0])
    }
    expect([...server.usage.values()].some(([record]) => record?.outcome === 'interrupted')).toBe(true)
  }, 180_000)
})
