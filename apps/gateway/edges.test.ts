import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bench, KEY, startBench } from './testing/bench.ts'

const CHAT = '/v1/chat/completions'
const BODY = JSON.stringify({ model: 'tiny', messages: [{ role: 'user', content: 'hello' }] })

interface RawAnswer {
  readonly status: number
  readonly head: string
  readonly code: string
}

/** Sends bytes as they are and reads until the gateway closes. */
async function raw(bench: Bench, text: string): Promise<RawAnswer> {
  const socket = connect(bench.gateway.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(text)
  return readAnswer(socket)
}

async function readAnswer(socket: Socket): Promise<RawAnswer> {
  let text = ''
  socket.setEncoding('utf8')
  socket.on('error', () => {})
  socket.on('data', (piece: string) => {
    text += piece
  })
  await once(socket, 'close')
  const [head = '', body = ''] = text.split('\r\n\r\n')
  const parsed = JSON.parse(body) as { error: { code: string; type: string } }
  expect(parsed.error.type).toBe('invalid_request_error')
  expect(head.toLowerCase()).toMatch(/\r\nx-request-id: req_[0-9a-f-]{36}/)
  return { status: Number(head.split(' ')[1]), head, code: parsed.error.code }
}

describe('what is hardly a request', { timeout: 60_000 }, () => {
  let bench: Bench
  beforeAll(async () => {
    bench = await startBench({ config: { headersTimeoutMs: 300, bodyTimeoutMs: 300 } })
  })
  afterAll(() => bench.close())

  it('is refused in the form of every other error, with an id', async () => {
    expect(await raw(bench, 'this is not HTTP\r\n\r\n')).toMatchObject({ status: 400, code: 'bad_request' })
    const long = `GET /v1/models HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(40_000)}\r\n\r\n`
    expect(await raw(bench, long)).toMatchObject({ status: 431, code: 'headers_too_large' })
    const homeless = 'GET /v1/models HTTP/1.1\r\nconnection: close\r\n\r\n'
    expect(await raw(bench, homeless)).toMatchObject({ status: 400, code: 'bad_request' })
  })

  it('is told when its headers take too long', async () => {
    const slow = await raw(bench, 'GET /v1/models HTTP/1.1\r\nhost: x\r\n')
    expect(slow).toMatchObject({ status: 408, code: 'request_timeout' })
  })

  it('is told when its body takes too long, and has its record', async () => {
    const head = [`POST ${CHAT} HTTP/1.1`, 'host: x', `authorization: Bearer ${KEY}`, 'content-length: 1000']
    const slow = await raw(bench, `${head.join('\r\n')}\r\n\r\n{"model":`)
    expect(slow).toMatchObject({ status: 408, code: 'request_timeout' })
    const requestId = /x-request-id: (\S+)/i.exec(slow.head)?.[1] ?? ''
    expect(await bench.server.record(requestId)).toMatchObject({ outcome: 'refused', httpStatus: 408 })
  })

  it('may name the whole URL, as a proxy does', async () => {
    const socket = connect(bench.gateway.port, '127.0.0.1')
    const head = ['host: api.example', `authorization: Bearer ${KEY}`, 'connection: close']
    socket.write(`GET http://api.example/v1/models?x=1 HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`)
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString('utf8')
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
    expect(text).toContain('"id":"tiny"')
  })
})

describe('requests that wait for a replica', { timeout: 60_000 }, () => {
  it.each([
    ['count', { maxWaiting: 2 }],
    ['bytes', { maxWaitingBytes: 2 * BODY.length }],
  ])('are bounded by their %s; the next one is to come again later', async (_, config) => {
    const bench = await startBench({ config: { ...config, replicaWaitMs: 5_000 } })
    try {
      await bench.engine.close()
      const asked = [1, 2, 3, 4, 5].map(() => bench.post(CHAT, BODY))
      const answers = await Promise.all(asked)
      const codes = await Promise.all(
        answers.map(async (answer) => ((await answer.json()) as { error: { code: string } }).error.code),
      )
      expect(answers.every(({ status, headers }) => status === 503 && headers.has('retry-after'))).toBe(true)
      expect(codes.sort()).toEqual([
        'no_replica',
        'no_replica',
        'too_many_waiting',
        'too_many_waiting',
        'too_many_waiting',
      ])
    } finally {
      await bench.close()
    }
  })
})
