import { mkdirSync, rmSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { request } from 'node:http'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { type Bench, KEY, startBench } from './testing/bench.ts'
import { beginEvents, chatEvents, type EngineScript } from './testing/scripted-engine.ts'

const MESSAGES = [{ role: 'user' as const, content: 'hello' }]
const CHAT = '/v1/chat/completions'
const STREAM = JSON.stringify({ model: 'tiny', stream: true, messages: MESSAGES })

/** Sends the first `count` events and then leaves the stream open. */
function openStream(count: number, then: (response: ServerResponse) => void = () => {}): EngineScript {
  return (_request, response) => {
    beginEvents(response)
    for (const event of chatEvents().slice(0, count)) response.write(event)
    then(response)
  }
}

describe('streams', () => {
  let bench: Bench
  afterEach(() => bench.close())

  it('stops the engine when the client leaves, and records what was counted', async () => {
    bench = await startBench({ script: openStream(3) })
    const { data, response } = await bench.client.chat.completions
      .create({ model: 'tiny', messages: MESSAGES, stream: true })
      .withResponse()
    const requestId = response.headers.get('x-request-id') ?? ''
    for await (const chunk of data) {
      if (chunk.choices[0]?.delta.content === ' capital') break
    }
    const record = await bench.server.record(requestId)
    expect(record).toMatchObject({ outcome: 'aborted', httpStatus: 200, promptTokens: 7, completionTokens: 2 })
    await expect.poll(() => bench.engine.aborted, { timeout: 10_000 }).toContain(requestId)
  })

  it('asks the engine for the counts of an answer whose client left before it came', async () => {
    bench = await startBench({ script: () => {} })
    const leaving = new AbortController()
    const asked = bench.client.chat.completions.create(
      { model: 'tiny', messages: MESSAGES },
      { signal: leaving.signal },
    )
    await expect.poll(() => bench.engine.requests.length, { timeout: 10_000 }).toBe(1)
    leaving.abort()
    await expect(asked).rejects.toBeInstanceOf(OpenAI.APIUserAbortError)
    const requestId = String(bench.engine.requests[0]?.headers['x-request-id'])
    const record = await bench.server.record(requestId)
    expect(record).toMatchObject({ outcome: 'aborted', httpStatus: 499, errorCode: 'client_closed' })
    expect(record).toMatchObject({ promptTokens: 11, cachedTokens: 2, completionTokens: 3 })
    expect(bench.engine.aborted).toEqual([requestId])
  })

  it.each([
    ['cut', (response: ServerResponse) => response.socket?.destroy()],
    ['ended without [DONE]', (response: ServerResponse) => response.end()],
    [
      'cut in the middle of an event',
      (response: ServerResponse) => response.write('data: {"a', () => response.socket?.destroy()),
    ],
  ])('reports a stream that was %s as broken', async (_name, breakIt) => {
    bench = await startBench({ script: openStream(3, (response) => setTimeout(() => breakIt(response), 30)) })
    const { data, response } = await bench.client.chat.completions
      .create({ model: 'tiny', messages: MESSAGES, stream: true })
      .withResponse()
    let text = ''
    const reading = (async () => {
      for await (const chunk of data) text += chunk.choices[0]?.delta.content ?? ''
    })()
    await expect(reading).rejects.toMatchObject({ error: { code: 'engine_lost', type: 'upstream_error', param: null } })
    expect(text).toBe('The capital')
    const record = await bench.server.record(response.headers.get('x-request-id') ?? '')
    expect(record).toMatchObject({ outcome: 'failed', errorCode: 'engine_lost', promptTokens: 7, completionTokens: 2 })
  })

  it('never sends [DONE] after a break', async () => {
    bench = await startBench({ script: openStream(2, (response) => response.end()) })
    const text = await (await bench.post(CHAT, STREAM)).text()
    expect(text).toMatch(/\n\ndata: \{"error":\{.*"code":"engine_lost"\}\}\n\n$/)
    expect(text).not.toContain('[DONE]')
  })

  it("passes an engine's own error event on as the last one", async () => {
    const error = 'data: {"error":{"message":"out of memory","type":"server_error","code":"oom","param":null}}\n\n'
    bench = await startBench({ script: openStream(3, (response) => response.end(error)) })
    const response = await bench.post(CHAT, STREAM)
    const text = await response.text()
    expect(text.endsWith(error)).toBe(true)
    expect(text.match(/"error"/g)).toHaveLength(1)
    const record = await bench.server.record(response.headers.get('x-request-id') ?? '')
    expect(record).toMatchObject({ outcome: 'failed', errorCode: 'oom', completionTokens: 2 })
  })

  it('answers a plain 502 when the stream broke before its first event', async () => {
    bench = await startBench({
      script: (_request, response) => {
        beginEvents(response)
        response.flushHeaders()
        setTimeout(() => response.socket?.destroy(), 20)
      },
    })
    const response = await bench.post(CHAT, STREAM)
    expect(response.status).toBe(502)
    expect(await response.json()).toMatchObject({ error: { code: 'engine_lost' } })
  })

  it('keeps the record of a stream before its last byte', async () => {
    bench = await startBench()
    bench.server.down = true
    const response = await bench.post(CHAT, STREAM)
    await response.text()
    bench.server.down = false
    const requestId = response.headers.get('x-request-id') ?? ''
    expect(await bench.server.record(requestId)).toMatchObject({ outcome: 'completed' })
    expect(bench.server.usage.get(requestId)).toHaveLength(1)
  })

  it('cuts a stream whose usage cannot be written instead of completing it, and writes it later', async () => {
    let finish = () => {}
    bench = await startBench({
      config: { segmentBytes: 1 },
      script: openStream(6, (response) => {
        finish = () => response.end('data: [DONE]\n\n')
      }),
    })
    const response = await bench.post(CHAT, STREAM)
    const requestId = response.headers.get('x-request-id') ?? ''
    const journal = join(bench.config.dataDirectory, 'journal')
    // Each entry of this journal needs a new file, for which there now is no place.
    rmSync(journal, { recursive: true })
    const reading = response.text()
    finish()
    await expect(reading).rejects.toThrow()
    expect((await bench.post(CHAT, STREAM)).status).toBe(503)
    mkdirSync(journal)
    expect(await bench.server.record(requestId)).toMatchObject({ outcome: 'completed', completionTokens: 5 })
  })

  it('slows the engine down to the pace of its client, and loses nothing', async () => {
    const event = `data: ${'x'.repeat(64 * 1024)}\n\n`
    const events = 256
    let sent = 0
    bench = await startBench({
      script: async (_request, response) => {
        beginEvents(response)
        for (; sent < events; sent += 1) {
          if (!response.write(event)) await new Promise((resolve) => response.once('drain', resolve))
        }
        response.end('data: [DONE]\n\n')
      },
    })
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' }
    const received = await new Promise<number>((resolve, reject) => {
      const outgoing = request(`${bench.url}${CHAT}`, { method: 'POST', headers }, async (incoming) => {
        // Nothing is read until the engine has come to a halt.
        let before = -1
        while (before !== sent) {
          before = sent
          await new Promise((wait) => setTimeout(wait, 300))
        }
        expect(sent).toBeLessThan(events)
        let bytes = 0
        incoming.on('data', (chunk: Buffer) => {
          bytes += chunk.length
        })
        incoming.on('end', () => resolve(bytes))
        incoming.on('error', reject)
      })
      outgoing.on('error', reject)
      outgoing.end(STREAM)
    })
    expect(received).toBe(events * event.length + 'data: [DONE]\n\n'.length)
  })
})
