import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bench, keyOf, startBench } from './testing/bench.ts'
import { answerChat } from './testing/scripted-engine.ts'

const MESSAGES = [{ role: 'user' as const, content: 'What is the capital of France?' }]
const CHAT = '/v1/chat/completions'

function idOf(response: Response): string {
  return response.headers.get('x-request-id') ?? ''
}

describe('gateway', () => {
  let bench: Bench
  beforeAll(async () => {
    bench = await startBench({ config: { maxBodyBytes: 4096 } })
  })
  afterAll(() => bench.close())

  it('passes a chat through unchanged and records its usage', async () => {
    const { data, response } = await bench.client.chat.completions
      .create({ model: 'tiny', messages: MESSAGES, stop: ['\n'], max_tokens: 5 })
      .withResponse()
    expect(data.choices[0]?.message.content).toBe('The capital is Paris.')
    expect(response.headers.get('x-medley-revision')).toBe('revision_1')
    expect(idOf(response)).toMatch(/^req_[0-9a-f-]{36}$/)
    const forwarded = bench.engine.requests.at(-1)
    expect(forwarded?.headers['x-request-id']).toBe(idOf(response))
    expect(forwarded?.headers.authorization).toBeUndefined()
    expect(JSON.parse(forwarded?.body ?? '')).toEqual({
      model: 'tiny',
      messages: MESSAGES,
      stop: ['\n'],
      max_tokens: 5,
    })
    expect(await bench.server.record(idOf(response))).toMatchObject({
      endpoint: CHAT,
      outcome: 'completed',
      httpStatus: 200,
      errorCode: null,
      model: 'tiny',
      revisionId: 'revision_1',
      replicaId: 'replica_1',
      chipUuids: ['cpu-0'],
      stream: false,
      promptTokens: 7,
      cachedTokens: 1,
      completionTokens: 5,
    })
  })

  it('streams, strips the usage lines and records the last counts', async () => {
    const { data, response } = await bench.client.chat.completions
      .create({ model: 'tiny', messages: MESSAGES, stream: true })
      .withResponse()
    let text = ''
    for await (const chunk of data) text += chunk.choices[0]?.delta.content ?? ''
    expect(text).toBe('The capital is Paris.')
    const record = await bench.server.record(idOf(response))
    expect(record).toMatchObject({ outcome: 'completed', stream: true, promptTokens: 7, cachedTokens: 1 })
    expect(record.completionTokens).toBe(5)
    expect(record.timeToFirstTokenMs).toBeGreaterThan(0)
    const raw = await (await bench.post(CHAT, JSON.stringify({ model: 'tiny', stream: true, messages: [] }))).text()
    expect(raw).not.toContain(': usage')
    expect(raw.endsWith('data: [DONE]\n\n')).toBe(true)
  })

  it('serves embeddings, whose completion is a known zero', async () => {
    bench.engine.script = (_request, response) => {
      const data = [{ object: 'embedding', index: 0, embedding: [0.5, -0.5] }]
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ object: 'list', model: 'vec', data, usage: { prompt_tokens: 3, total_tokens: 3 } }))
    }
    const { data, response } = await bench.client.embeddings
      .create({ model: 'vec', input: 'a', encoding_format: 'float' })
      .withResponse()
    bench.engine.script = answerChat
    expect(data.data[0]?.embedding).toEqual([0.5, -0.5])
    const record = await bench.server.record(idOf(response))
    expect(record).toMatchObject({ promptTokens: 3, cachedTokens: null, completionTokens: 0 })
  })

  it('passes an engine refusal on, and records it as refused', async () => {
    const error = { message: 'prompt of 900 tokens, context of 512', type: 'invalid_request_error', code: 'too_long' }
    bench.engine.script = (_request, response) => {
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error }))
    }
    const response = await bench.post(CHAT, JSON.stringify({ model: 'tiny', messages: MESSAGES }))
    bench.engine.script = answerChat
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({ error })
    const record = await bench.server.record(idOf(response))
    expect(record).toMatchObject({ outcome: 'refused', httpStatus: 400, errorCode: 'too_long', promptTokens: null })
  })

  it.each([
    ['an unknown key', 'mk_abc123_wrong'],
    ['an unknown prefix', 'mk_nobody_secret'],
    ['an expired key', 'mk_old_expired'],
    ['no key of ours', 'sk-other'],
  ])('refuses %s with 401, without repeating it', async (_name, apiKey) => {
    const client = new OpenAI({ baseURL: `${bench.url}/v1`, apiKey, maxRetries: 0 })
    const failure = await client.chat.completions.create({ model: 'tiny', messages: MESSAGES }).catch((error) => error)
    expect(failure).toBeInstanceOf(OpenAI.AuthenticationError)
    expect(failure.code).toBe('invalid_api_key')
    expect(failure.message).not.toContain(apiKey)
  })

  it('takes the key from x-api-key as well', async () => {
    const headers = { 'x-api-key': 'mk_abc123_secretsecretsecret' }
    const response = await fetch(`${bench.url}/v1/models`, { headers })
    expect(response.status).toBe(200)
  })

  it('refuses a key without the scope, and records that', async () => {
    const response = await bench.post(CHAT, '{}', { authorization: 'Bearer mk_noscope_secret' })
    expect(response.status).toBe(403)
    const record = await bench.server.record(idOf(response))
    expect(record).toMatchObject({ outcome: 'refused', httpStatus: 403, keyId: 'key_mk_noscope_secret', model: null })
  })

  it('names the models there are when one does not exist', async () => {
    const request = bench.client.chat.completions.create({ model: 'huge', messages: MESSAGES })
    const failure = await request.catch((error) => error)
    expect(failure).toBeInstanceOf(OpenAI.NotFoundError)
    expect(failure).toMatchObject({ code: 'model_not_found', param: 'model' })
    expect(failure.message).toContain('tiny, vec')
    const record = await bench.server.record(failure.requestID)
    expect(record).toMatchObject({ outcome: 'refused', model: 'huge', errorCode: 'model_not_found', replicaId: null })
  })

  it('keeps what a client calls a model storable', async () => {
    const model = `a\u0000b\ud800${'x'.repeat(300)}`
    const response = await bench.post(CHAT, JSON.stringify({ model }))
    const record = await bench.server.record(idOf(response))
    expect(record.model?.startsWith('a\ufffdb\ufffdxx')).toBe(true)
    expect(record.model).toHaveLength(200)
  })

  it.each([
    ['{"model":"tiny",\n  "messages":[}', 'invalid_json', 400, 'line 2, column 15 (offset 31)'],
    ['', 'invalid_json', 400, 'line 1, column 1'],
    ['[1]', 'invalid_body', 400, 'JSON object'],
    ['{"messages":[]}', 'missing_model', 400, 'tiny, vec'],
    ['{"model":7}', 'missing_model', 400, 'string'],
    ['{"model":"vec","messages":[]}', 'capability_missing', 400, 'tiny'],
    [`{"model":"tiny","x":"${'y'.repeat(5000)}"}`, 'body_too_large', 413, '4096'],
  ])('answers the body %s with %s', async (body, code, status, words) => {
    const response = await bench.post(CHAT, body)
    expect(response.status).toBe(status)
    const { error } = (await response.json()) as { error: { code: string; message: string } }
    expect(error.code).toBe(code)
    expect(error.message).toContain(words)
    const record = await bench.server.record(idOf(response))
    expect(record).toMatchObject({ outcome: 'refused', httpStatus: status, errorCode: code })
  })

  it('refuses a chunked body that grows too large', async () => {
    const chunk = new Uint8Array(3000).fill(32)
    const body = new ReadableStream({
      start(controller) {
        for (let index = 0; index < 3; index += 1) controller.enqueue(chunk)
        controller.close()
      },
    })
    const headers = { authorization: 'Bearer mk_abc123_secretsecretsecret', 'content-type': 'application/json' }
    const init = { method: 'POST', headers, body, duplex: 'half' as const }
    const response = await fetch(`${bench.url}${CHAT}`, init)
    expect(response.status).toBe(413)
  })

  it('names the place of bytes that are not UTF-8', async () => {
    const headers = { authorization: 'Bearer mk_abc123_secretsecretsecret', 'content-type': 'application/json' }
    const body = Buffer.from('{"model":"\xff"}', 'latin1')
    const response = await fetch(`${bench.url}${CHAT}`, { method: 'POST', headers, body })
    expect(await response.text()).toContain('not UTF-8 at line 1, column 11')
  })

  it('takes JSON only', async () => {
    const response = await bench.post(CHAT, 'model=tiny', { 'content-type': 'application/x-www-form-urlencoded' })
    expect(response.status).toBe(415)
  })

  it('echoes the id a client gave, and mints its own', async () => {
    const response = await bench.post(CHAT, '{', { 'x-request-id': 'mine-1' })
    expect(response.headers.get('x-client-request-id')).toBe('mine-1')
    expect(idOf(response)).toMatch(/^req_/)
  })

  it('answers other URLs and methods in the same form', async () => {
    const missing = await bench.post('/v1/nothing', '{}')
    expect(missing.status).toBe(404)
    expect(await missing.json()).toMatchObject({ error: { code: 'unknown_url', type: 'invalid_request_error' } })
    const wrong = await fetch(`${bench.url}${CHAT}`)
    expect(wrong.status).toBe(405)
    expect(wrong.headers.get('allow')).toBe('POST')
  })

  it('speaks Chinese where that is asked for', async () => {
    const response = await bench.post(CHAT, '{"model":"huge"}', { 'accept-language': 'zh-CN,zh;q=0.9' })
    expect(await response.text()).toContain('这里没有模型“huge”')
  })

  it('lists models, and one of them', async () => {
    const listed = []
    for await (const model of bench.client.models.list()) listed.push(model.id)
    expect(listed).toEqual(['tiny', 'vec'])
    expect(await bench.client.models.retrieve('tiny')).toMatchObject({ id: 'tiny', object: 'model' })
    await expect(bench.client.models.retrieve('huge')).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
  })

  it('shows a tenant its own models and those of everybody, nobody else the first', async () => {
    const [tiny] = bench.snapshot().routes
    const stranger = keyOf('mk_stranger_secret', { tenantId: 'tenant_other' })
    const own = { ...tiny, model: 'private', tenantId: keyOf('mk_abc123_secretsecretsecret').tenantId }
    const { keys, routes } = bench.snapshot()
    bench.server.publish(
      bench.snapshot({
        revision: 2,
        keys: [...keys, stranger],
        routes: [...routes, { ...routes[0], ...own } as never],
      }),
    )
    const modelsOf = async (token: string) => {
      const headers = { authorization: `Bearer ${token}` }
      const answer = await (await fetch(`${bench.url}/v1/models`, { headers })).json()
      return ((answer as { data?: { id: string }[] }).data ?? []).map(({ id }) => id)
    }
    await expect.poll(() => modelsOf('mk_stranger_secret'), { timeout: 10_000 }).toEqual(['tiny', 'vec'])
    expect(await modelsOf('mk_abc123_secretsecretsecret')).toEqual(['private', 'tiny', 'vec'])
    const refused = await bench.post(CHAT, '{"model":"private"}', { authorization: 'Bearer mk_stranger_secret' })
    expect(refused.status).toBe(404)
    expect(await refused.text()).not.toContain('private,')
  })

  it('tells health, readiness and metrics without a key', async () => {
    expect((await fetch(`${bench.url}/healthz`)).status).toBe(200)
    expect((await fetch(`${bench.url}/readyz`)).status).toBe(200)
    const metrics = await (await fetch(`${bench.url}/metrics`)).text()
    expect(metrics).toMatch(/medley_gateway_requests_total\{endpoint="\/v1\/chat\/completions",outcome="completed"/)
    expect(metrics).not.toContain('tenant_')
  })

  it('presents the internal token to the server', () => {
    expect([...bench.server.tokens]).toEqual(['Bearer internal-token-of-the-tests'])
  })
})
