import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { problem } from '../api/schemas.ts'
import { CONSOLE, startTestFactory, type TestFactory } from './test-factory.ts'

let test: TestFactory
beforeAll(async () => {
  test = await startTestFactory()
}, 120_000)
afterAll(() => test.close())

const problemOf = async (answer: Response) => problem.parse(await answer.json())
const post = (path: string, body: unknown) => test.asOperator(path, { method: 'POST', body: JSON.stringify(body) })

describe('input that no store can hold', { timeout: 60_000 }, () => {
  it.each([
    '/api/v1/chips/%00',
    '/api/v1/keys?cursor=%00',
    '/api/v1/operations/a%00b',
    '/api/v1/revisions/%0A',
    '/api/v1/usage?requestId=%00',
    '/api/v1/usage?model=a%00b',
    '/api/v1/proving/records?chip=%00',
    '/api/v1/proving/records?cursor=record_%00',
    '/api/v1/models?cursor=%00',
    '/internal/gateway/snapshot?after=x',
  ])('is the client’s mistake: %s', async (path) => {
    const answer = path.startsWith('/internal') ? await test.asProcess(path) : await test.asOperator(path)
    expect([answer.status, (await problemOf(answer)).code]).toEqual([400, 'server.request.invalid'])
  })

  it('is refused in names too', async () => {
    const answer = await post('/api/v1/keys', { name: 'a\u0000b' })
    expect(await problemOf(answer)).toMatchObject({ status: 400, errors: [{ path: 'name' }] })
  })

  it.each(['/api/docs/__proto__', '/api/docs/constructor', '/%', '/%00', '/api/v1/%E0%A4%A'])(
    'is nowhere: %s',
    async (path) => {
      const answer = await test.app.request(path)
      expect([answer.status, (await problemOf(answer)).code]).toEqual([404, 'server.route.unknown'])
    },
  )
})

describe('what a request says', { timeout: 60_000 }, () => {
  it('must be known to its route, to the last member', async () => {
    const inBody = await post('/api/v1/keys', { name: 'x', expires: 'tomorrow', role: 'operator' })
    expect(await problemOf(inBody)).toMatchObject({ status: 400, errors: [{ path: 'expires' }, { path: 'role' }] })
    const inQuery = await test.asOperator('/api/v1/usage?modell=tiny')
    expect(await problemOf(inQuery)).toMatchObject({ status: 400, errors: [{ path: 'modell' }] })
  })

  it('must use a method that its address takes', async () => {
    const [put, get] = [
      await test.asOperator('/api/v1/keys', { method: 'PUT', body: '{}' }),
      await test.asOperator('/api/v1/deployments/some/stop'),
    ]
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST'])
    expect([get.status, get.headers.get('allow'), (await problemOf(get)).code]).toEqual([
      405,
      'POST',
      'server.route.method',
    ])
  })
})

describe('every answer', { timeout: 60_000 }, () => {
  const signIn = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    test.app.request(`/api/auth${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: CONSOLE, ...headers },
      body: JSON.stringify(body),
    })

  it('has its number and says how it may be used', async () => {
    const answers = [
      await test.app.request('/healthz'),
      await test.app.request('/api/v1/nothing'),
      await test.asOperator('/api/v1/chips'),
      await test.app.request('/api/docs'),
      await signIn('/one-time-link/verify', { token: 'spent' }),
      await signIn('/nothing', {}),
    ]
    for (const { headers } of answers) {
      expect(headers.get('x-request-id')).toMatch(/^req_/)
      expect([headers.get('x-content-type-options'), headers.get('referrer-policy')]).toEqual([
        'nosniff',
        'no-referrer',
      ])
    }
  })

  it.each([
    ['a spent link', '/one-time-link/verify', { token: 'spent' }, {}, 401, 'server.sign-in.link-spent'],
    [
      'a wrong password',
      '/sign-in/email',
      { email: 'a@b.test', password: 'wrong horse' },
      {},
      401,
      'server.sign-in.refused',
    ],
    ['a body without its fields', '/one-time-link/verify', {}, {}, 400, 'server.request.invalid'],
    ['an unknown address', '/nothing', {}, {}, 404, 'server.route.unknown'],
    [
      'a foreign page',
      '/sign-out',
      {},
      { origin: 'https://evil.test', cookie: 'medley.session_token=x' },
      403,
      'server.request.foreign-origin',
    ],
  ])('of sign-in is a problem like any other: %s', async (_what, path, body, headers, status, code) => {
    const answer = await signIn(path, body, { 'accept-language': 'zh-CN', ...headers })
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
    expect(await problemOf(answer)).toMatchObject({ status, code, title: expect.stringMatching(/\p{Script=Han}/u) })
  })
})
