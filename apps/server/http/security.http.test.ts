import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apiKey, page, problem, session } from '../api/schemas.ts'
import { CONSOLE, startTestFactory, type TestFactory } from './test-factory.ts'

interface OpenApiDocument {
  readonly paths: Record<string, Record<string, { 'x-permission'?: string }>>
}

let test: TestFactory
let userId: string
let app: TestFactory['app']

beforeAll(async () => {
  test = await startTestFactory()
  app = test.app
  userId = (await test.server.factory.identity.bootstrap()).userId
}, 120_000)
afterAll(() => test.close())

const codeOf = async (response: Response) => problem.parse(await response.json()).code
const declaredRoutes = async () => {
  const document = (await (await app.request('/api/openapi.json')).json()) as OpenApiDocument
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { 'x-permission': permission }]) => ({
      route: `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`,
      permission,
    })),
  )
}

describe('who may ask', { timeout: 60_000 }, () => {
  it('is declared on every route there is, and each refuses who has no session', async () => {
    const declared = await declaredRoutes()
    const routes = new Set(
      app.routes
        .filter(({ method, path }) => method !== 'ALL' && path.startsWith('/api/v1/'))
        .map(({ method, path }) => `${method} ${path}`),
    )
    expect(routes.size).toBeGreaterThan(15)
    expect(declared.map(({ route }) => route).toSorted()).toEqual([...routes].toSorted())
    for (const { route, permission } of declared) {
      expect(permission, route).toMatch(/^[a-z-]+:[a-z]+$/)
      const [method = '', path = ''] = route.split(' ')
      const answer = await app.request(path.replace(/:\w+/g, 'x'), { method })
      expect(answer.status, route).toBe(401)
      expect(await codeOf(answer)).toBe('server.request.unauthenticated')
    }
  })

  it('does not take the processes’ token for a person’s, nor the other way round', async () => {
    const asWorker = await test.asOperator('/internal/gateway/snapshot')
    const asPerson = await test.asProcess('/api/v1/status')
    expect([asPerson.status, asWorker.status]).toEqual([401, 401])
  })

  it('signs in by a one-time link once', async () => {
    const made = (await (await test.asOperator('/api/v1/sign-in-links', { method: 'POST', body: '{}' })).json()) as {
      url: string
    }
    const token = made.url.split('#token=')[1]
    const verify = () =>
      app.request('/api/auth/one-time-link/verify', {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: CONSOLE },
        body: JSON.stringify({ token }),
      })
    const first = await verify()
    const cookie = first.headers.get('set-cookie') ?? ''
    expect(first.status).toBe(200)
    expect(cookie).toMatch(/HttpOnly/i)
    expect(cookie).toMatch(/SameSite=Lax/i)
    const who = await app.request('/api/v1/session', { headers: { cookie: cookie.split(';')[0] ?? '' } })
    expect(session.parse(await who.json())).toMatchObject({ role: 'operator', tenant: { name: { 'zh-CN': '默认' } } })
    expect((await verify()).status).toBe(401)
  })
})

describe('a change under a cookie', { timeout: 60_000 }, () => {
  const create = async (headers: Record<string, string>, name = 'by cookie') =>
    app.request('/api/v1/keys', {
      method: 'POST',
      body: JSON.stringify({ name }),
      headers: { 'content-type': 'application/json', cookie: await test.signIn(userId), ...headers },
    })

  it.each([
    ['another site', { origin: 'https://evil.test' }],
    ['another port of this address, which SameSite takes for the same site', { origin: 'http://127.0.0.1:9999' }],
    ['a sandboxed page', { origin: 'null' }],
    ['a foreign page whose browser names no origin', { 'sec-fetch-site': 'same-site' }],
    ['nobody says where', {}],
  ])('is refused when it comes from %s', async (_from, headers) => {
    const refused = await create(headers, 'foreign')
    expect([refused.status, await codeOf(refused)]).toEqual([403, 'server.request.foreign-origin'])
    const listed = page(apiKey).parse(await (await test.asOperator('/api/v1/keys')).json())
    expect(listed.items.filter(({ name }) => name === 'foreign')).toEqual([])
  })

  it.each([
    ['the console', { origin: CONSOLE }],
    ['a page of the address that was asked', { origin: 'http://localhost' }],
    ['the same origin by the browser’s word', { 'sec-fetch-site': 'same-origin' }],
  ])('is taken from %s', async (_from, headers) => {
    expect((await create(headers)).status).toBe(201)
  })

  it('asks no origin of a read, nor of who sends a token', async () => {
    const cookie = await test.signIn(userId)
    const read = await app.request('/api/v1/keys', { headers: { cookie, origin: 'https://evil.test' } })
    const byToken = await test.asOperator('/api/v1/keys', {
      method: 'POST',
      body: JSON.stringify({ name: 'by token' }),
      headers: { origin: 'https://evil.test' },
    })
    expect([read.status, byToken.status]).toEqual([200, 201])
  })
})

describe('a body', { timeout: 60_000 }, () => {
  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'of type %s is refused, for a foreign page may send it unasked',
    async (type) => {
      for (const path of ['/api/v1/keys', '/api/v1/playground/chat']) {
        const refused = await test.asOperator(path, {
          method: 'POST',
          body: '{"name":"x"}',
          headers: { 'content-type': type },
        })
        expect([refused.status, await codeOf(refused)]).toEqual([415, 'server.request.not-json'])
      }
    },
  )

  it('is read up to what its route needs and no further', async () => {
    const post = (path: string, bytes: number) =>
      test.asOperator(path, { method: 'POST', body: JSON.stringify({ name: 'x'.repeat(bytes) }) })
    expect((await post('/api/v1/keys', 10_000)).status).toBe(400)
    const refused = [await post('/api/v1/keys', 70_000), await post('/api/v1/playground/chat', 11 * 1024 * 1024)]
    for (const answer of refused)
      expect([answer.status, await codeOf(answer)]).toEqual([413, 'server.request.too-large'])
    expect((await post('/api/auth/one-time-link/verify', 70_000)).status).toBe(413)
  })

  it('larger than 64 MiB is refused to the factory’s own processes, and unread to others', async () => {
    const large = 'x'.repeat(65 * 1024 * 1024)
    const strangers = await app.request('/internal/usage', { method: 'POST', body: large })
    const own = await test.asProcess('/internal/usage', large)
    expect([strangers.status, own.status]).toEqual([401, 413])
  })

  it('without a stated length is cut off at the limit too', async () => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = httpRequest({ host: '127.0.0.1', port, path: '/api/auth/one-time-link/verify', method: 'POST' })
      sent.setHeader('content-type', 'application/json')
      sent.once('error', reject)
      sent.once('response', (answer) => {
        answer.resume()
        resolve(answer.statusCode)
        sent.destroy()
      })
      for (let block = 0; block < 10; block += 1) sent.write('x'.repeat(10_000))
    })
    await new Promise((resolve) => server.close(resolve))
    expect(status).toBe(413)
  })
})

describe('behind a TLS proxy', { timeout: 60_000 }, () => {
  it('makes links to the public address, and takes sign-ins and changes from it', async () => {
    const publicUrl = 'https://factory.example'
    const proxied = await startTestFactory({ publicUrl })
    try {
      const json = { 'content-type': 'application/json' }
      const made = await proxied.asOperator('/api/v1/sign-in-links', { method: 'POST', body: '{}' })
      const { url } = (await made.json()) as { url: string }
      expect(url).toMatch(/^https:\/\/factory\.example\/sign-in#token=/)
      const verified = await proxied.app.request('/api/auth/one-time-link/verify', {
        method: 'POST',
        headers: { ...json, origin: publicUrl },
        body: JSON.stringify({ token: url.split('#token=')[1] }),
      })
      const cookie = verified.headers.get('set-cookie') ?? ''
      expect([verified.status, cookie]).toEqual([200, expect.stringContaining('Secure')])
      for (const origin of [publicUrl, CONSOLE]) {
        const created = await proxied.app.request('/api/v1/keys', {
          method: 'POST',
          headers: { ...json, origin, cookie: cookie.split(';')[0] ?? '' },
          body: JSON.stringify({ name: 'by proxy' }),
        })
        expect(created.status, origin).toBe(201)
      }
    } finally {
      await proxied.close()
    }
  })
})
