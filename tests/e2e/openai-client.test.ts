import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import OpenAI, { APIUserAbortError, AuthenticationError, BadRequestError, NotFoundError } from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type RunningFactory, startFactory } from '../factory.ts'
import { eventually, type Observer, observe } from './observer.ts'

const MODEL = 'smollm2-135m-instruct'
const CHAT = '/v1/chat/completions'
/** What is promised: a second after its client has left nothing is made for it any more. */
const ABORT_PROMISE_MS = 1_000
/** For the way of the close through two processes and for a machine that does other things as well. */
const ABORT_ALLOWANCE_MS = 500

/** What the client saw of a request, in the words of its usage row. */
interface Seen {
  readonly requestId: string
  readonly endpoint: string
  readonly outcome: string
  readonly httpStatus: number
  readonly stream: boolean
  readonly promptTokens: number | null
  readonly completionTokens: number | null
}

let factory: RunningFactory
let observer: Observer
let client: OpenAI
/** Request id and status of the newest answer, whatever became of it. */
let newest = { requestId: '', status: 0 }
const seen: Seen[] = []

const loggedFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, init)
  newest = { requestId: response.headers.get('x-request-id') ?? '', status: response.status }
  return response
}

function saw(
  what: Partial<Seen>,
  usage: { prompt_tokens: number; completion_tokens?: number } | null | undefined = null,
): void {
  seen.push({
    requestId: newest.requestId,
    httpStatus: newest.status,
    endpoint: CHAT,
    outcome: 'completed',
    stream: false,
    promptTokens: usage?.prompt_tokens ?? null,
    completionTokens: usage === null || usage === undefined ? null : (usage.completion_tokens ?? 0),
    ...what,
  })
}

beforeAll(async () => {
  factory = await startFactory({ args: ['--no-proving'] })
  observer = observe(factory)
  client = new OpenAI({
    apiKey: factory.apiKey,
    baseURL: `${factory.gatewayUrl}/v1`,
    maxRetries: 0,
    fetch: loggedFetch,
  })
}, 300_000)

afterAll(async () => {
  await factory.stop()
}, 120_000)

const question = [{ role: 'user' as const, content: 'What is the capital of France?' }]

describe('the official client', { timeout: 120_000 }, () => {
  it('lists the models', async () => {
    const models = await client.models.list()
    expect(models.data.map(({ id }) => id)).toEqual([MODEL])
    expect(await client.models.retrieve(MODEL)).toMatchObject({ id: MODEL, object: 'model' })
  })

  it('chats', async () => {
    const answer = await client.chat.completions.create({
      model: MODEL,
      messages: question,
      temperature: 0,
      max_tokens: 32,
    })
    expect(answer.choices[0]?.message.content).toContain('Paris')
    expect(answer.usage?.prompt_tokens).toBeGreaterThan(0)
    expect(answer.usage?.completion_tokens).toBeGreaterThan(0)
    saw({}, answer.usage)
  })

  it('streams the same answer, piece by piece', async () => {
    const stream = await client.chat.completions.create({
      model: MODEL,
      messages: question,
      temperature: 0,
      max_tokens: 32,
      stream: true,
      stream_options: { include_usage: true },
    })
    const pieces: string[] = []
    let usage: OpenAI.CompletionUsage | null = null
    for await (const chunk of stream) {
      const piece = chunk.choices[0]?.delta.content
      if (piece) pieces.push(piece)
      usage = chunk.usage ?? usage
    }
    expect(pieces.join('')).toContain('Paris')
    expect(pieces.length).toBeGreaterThan(2)
    expect(usage).not.toBeNull()
    saw({ stream: true }, usage)
  })

  it('completes text', async () => {
    const answer = await client.completions.create({ model: MODEL, prompt: 'Once upon a time', max_tokens: 8 })
    expect(answer.choices[0]?.text.length).toBeGreaterThan(0)
    saw({ endpoint: '/v1/completions' }, answer.usage)
  })

  it('ends before a stop sequence', async () => {
    const answer = await client.chat.completions.create({
      model: MODEL,
      messages: question,
      temperature: 0,
      max_tokens: 32,
      stop: ['Paris'],
    })
    const text = answer.choices[0]?.message.content ?? ''
    expect(text).toContain('capital')
    expect(text).not.toContain('Paris')
    expect(answer.choices[0]?.finish_reason).toBe('stop')
    saw({}, answer.usage)
  })

  it('ends at max_tokens and says so', async () => {
    const answer = await client.chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: 'Tell me a long story about the sea.' }],
      max_tokens: 5,
    })
    expect(answer.choices[0]?.finish_reason).toBe('length')
    expect(answer.usage?.completion_tokens).toBe(5)
    saw({}, answer.usage)
  })

  it('answers in the form of a JSON schema', async () => {
    const answer = await client.chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: 'Which city is the capital of France, and is it in Europe?' }],
      max_tokens: 100,
      response_format: {
        type: 'json_schema',
        json_schema: {
          name: 'city',
          strict: true,
          schema: {
            type: 'object',
            properties: { city: { type: 'string', enum: ['Paris', 'London'] }, inEurope: { type: 'boolean' } },
            required: ['city', 'inEurope'],
            additionalProperties: false,
          },
        },
      },
    })
    const form = z.strictObject({ city: z.enum(['Paris', 'London']), inEurope: z.boolean() })
    expect(form.safeParse(JSON.parse(answer.choices[0]?.message.content ?? '')).success).toBe(true)
    saw({}, answer.usage)
  })

  it('embeds, the same by numbers and by base64, which is the client’s default', async () => {
    const ask = { model: MODEL, input: ['The cat sat on the mat.', 'Prices rose in March.'] }
    const asNumbers = await client.embeddings.create({ ...ask, encoding_format: 'float' })
    saw({ endpoint: '/v1/embeddings' }, asNumbers.usage)
    const byDefault = await client.embeddings.create(ask)
    saw({ endpoint: '/v1/embeddings' }, byDefault.usage)
    expect(asNumbers.data).toHaveLength(2)
    for (const [index, { embedding }] of asNumbers.data.entries()) {
      const other = byDefault.data[index]?.embedding ?? []
      expect(embedding.length).toBeGreaterThan(100)
      expect(other).toHaveLength(embedding.length)
      const farthest = Math.max(...embedding.map((value, at) => Math.abs(value - (other[at] ?? Number.NaN))))
      expect(farthest).toBeLessThan(1e-3)
    }
  })
})

describe('refusals', { timeout: 120_000 }, () => {
  const post = (path: string, body: string, key = factory.apiKey) =>
    loggedFetch(`${factory.gatewayUrl}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body,
    })

  it('does not know a wrong key', async () => {
    const stranger = new OpenAI({ apiKey: 'mk_nobody_0', baseURL: `${factory.gatewayUrl}/v1`, maxRetries: 0 })
    const asked = stranger.chat.completions.create({ model: MODEL, messages: question })
    await expect(asked).rejects.toBeInstanceOf(AuthenticationError)
    await expect(asked).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' })
  })

  it('names the models there are when asked for another', async () => {
    const asked = client.chat.completions.create({ model: 'gpt-nonesuch', messages: question })
    await expect(asked).rejects.toBeInstanceOf(NotFoundError)
    await expect(asked).rejects.toMatchObject({ status: 404, message: expect.stringContaining(MODEL) })
    saw({ outcome: 'refused' })
  })

  it('names the place where JSON is malformed', async () => {
    const answer = await post(CHAT, '{\n  "model": "x",\n  "messages": [}\n')
    expect(answer.status).toBe(400)
    const { error } = z.object({ error: z.object({ message: z.string() }) }).parse(await answer.json())
    expect(error.message).toContain('line 3, column 16')
    saw({ outcome: 'refused' })
  })

  it('gives both lengths of a prompt that is too long', async () => {
    const asked = client.chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: 'word '.repeat(3000) }],
      max_tokens: 8,
    })
    await expect(asked).rejects.toBeInstanceOf(BadRequestError)
    const message = await asked.catch((error: unknown) => String(error))
    // The prompt has three thousand words and a few tokens around them; the context of a slot is smaller.
    const numbers = [...String(message).matchAll(/\d{3,}/g)].map(Number)
    expect(numbers.filter((number) => number > 3000).length).toBeGreaterThan(0)
    expect(numbers.filter((number) => number >= 512 && number < 3000).length).toBeGreaterThan(0)
    saw({ outcome: 'refused' })
  })

  it('names the method an address takes', async () => {
    const answer = await loggedFetch(`${factory.gatewayUrl}${CHAT}`, {
      headers: { authorization: `Bearer ${factory.apiKey}` },
    })
    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')).toBe('POST')
    expect(await answer.text()).toContain('POST')
  })
})

describe('a client that leaves', { timeout: 120_000 }, () => {
  it('stops the engine, and what was made until then is recorded', async () => {
    const stream = await client.chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: 'Write a very long story about a ship. Do not stop before ten chapters.' }],
      max_tokens: 900,
      stream: true,
    })
    const { requestId } = newest
    let pieces = 0
    const reading = (async () => {
      for await (const _ of stream) {
        pieces += 1
        if (pieces === 4) stream.controller.abort()
      }
    })()
    await reading.catch((error: unknown) => expect(error).toBeInstanceOf(APIUserAbortError))
    await sleep(ABORT_PROMISE_MS + ABORT_ALLOWANCE_MS)
    // Looked at once and not waited for: whatever still runs now has broken the promise.
    const [once, { slots }] = await Promise.all([observer.engineRequest(requestId), observer.engineHealth()])
    expect(slots).toMatchObject({ busy: 0, queued: 0 })
    expect(once.state).toBe('aborted')
    await sleep(ABORT_ALLOWANCE_MS)
    expect(await observer.engineRequest(requestId)).toEqual(once)
    expect(once.completionTokens).toBeLessThan(900)
    await eventually('its row', async () => (await observer.usage()).some((row) => row.requestId === requestId))
    const row = (await observer.usage()).find((each) => each.requestId === requestId)
    expect(row).toMatchObject({ outcome: 'aborted', stream: true, completionTokens: once.completionTokens })
    expect(row?.promptTokens).toBeGreaterThan(0)
    expect(row?.completionTokens).toBeGreaterThan(0)
    seen.push({
      requestId,
      httpStatus: 200,
      endpoint: CHAT,
      outcome: 'aborted',
      stream: true,
      promptTokens: row?.promptTokens ?? null,
      completionTokens: row?.completionTokens ?? null,
    })
  })
})

describe('usage', { timeout: 120_000 }, () => {
  it('has one row for each request of a known key, saying what its client saw', async () => {
    await eventually('the journal is shipped', () => observer.isShipped())
    const rows = (await observer.usage()).map(
      ({ requestId, endpoint, outcome, httpStatus, stream, promptTokens, completionTokens }) => ({
        requestId,
        endpoint,
        outcome,
        httpStatus,
        stream,
        // An engine that refuses counts nothing, and says so in its own way.
        promptTokens: outcome === 'refused' ? null : promptTokens,
        completionTokens: outcome === 'refused' ? null : completionTokens,
      }),
    )
    const byId = (one: { requestId: string }, other: { requestId: string }) =>
      one.requestId < other.requestId ? -1 : 1
    expect(rows.sort(byId)).toEqual([...seen].sort(byId))
  })
})

describe('a second start', { timeout: 120_000 }, () => {
  it('is refused on the same data directory', async () => {
    const { code, output } = await up(['--data', factory.data, '--port', String(factory.port)])
    expect(code).toBe(5)
    expect(output).toContain(`A factory already runs on ${factory.data}`)
    expect(output).toContain('--data')
    expect((await observer.status()).ready).toBe(true)
  })

  it('is refused on a port that is taken, and told of --port', async () => {
    const data = await mkdtemp(join(tmpdir(), 'medley-port-taken-'))
    const occupant = createServer()
    await new Promise<void>((resolve) => occupant.listen(0, '127.0.0.1', resolve))
    const address = occupant.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    try {
      const { code, output } = await up(['--data', data, '--port', String(port)])
      expect(code).toBe(5)
      expect(output).toContain(`Port ${port} is taken`)
      expect(output).toContain('--port')
    } finally {
      occupant.close()
      await rm(data, { recursive: true, force: true })
    }
  })
})

function up(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const cli = fileURLToPath(new URL('../../apps/cli/main.ts', import.meta.url))
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, 'up', ...args], {
      env: { ...process.env, CI: 'true' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (piece) => {
        output += piece
      })
    }
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}
