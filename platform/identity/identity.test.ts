import { systemScope } from '@medley/kernel'
import { migrate, type OpenedStore, openStore, storeMigrations } from '@medley/store'
import { startTestStore, type TempDirectory, type TestStore, tempDirectory } from '@medley/testkit'
import { getMigrations } from 'better-auth/db/migration'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { authOptions } from './auth/auth.ts'
import { createIdentity, type Home, type Identity, type Instance, identityMigrations, openInstance } from './index.ts'

const ORIGIN = 'http://127.0.0.1:7070'

let test: TestStore
let folder: TempDirectory
let instance: Instance
let identity: Identity
let home: Home

beforeAll(async () => {
  test = await startTestStore(storeMigrations, identityMigrations)
  folder = await tempDirectory()
  instance = await openInstance(folder.path)
  identity = await createIdentity({ store: test.store, instance, baseUrl: ORIGIN })
  home = await identity.bootstrap()
}, 120_000)

afterAll(async () => {
  await test.close()
  await folder[Symbol.asyncDispose]()
})

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const request = new Request(`${ORIGIN}/api/auth${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: ORIGIN, ...headers },
    body: JSON.stringify(body),
  })
  return identity.handler(request, '127.0.0.1')
}

/** The cookies of an answer as a browser would send them back. */
function cookiesOf(response: Response): Headers {
  const pairs = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0] ?? '')
  return new Headers({ cookie: pairs.join('; ') })
}

async function signInByLink(): Promise<Response> {
  const { token } = await identity.oneTimeLinks.create(home.userId)
  return await post('/one-time-link/verify', { token })
}

describe('tables of people', { timeout: 60_000 }, () => {
  it('are exactly what better-auth expects', async () => {
    const options = authOptions({
      store: test.store,
      secret: instance.secrets.authSecret,
      baseUrl: ORIGIN,
      trustedOrigins: [],
      ids: { next: (kind) => `${kind}_` },
      firstTenantOf: () => Promise.resolve(null),
      onTenantCreated: () => Promise.resolve(),
    })
    const { toBeCreated, toBeAdded, toBeAddedIndexes, unsafeChanges } = await getMigrations(options)
    expect({ toBeCreated, toBeAdded, toBeAddedIndexes, unsafeChanges }).toEqual({
      toBeCreated: [],
      toBeAdded: [],
      toBeAddedIndexes: [],
      unsafeChanges: [],
    })
  })
})

describe('bootstrap', { timeout: 60_000 }, () => {
  it('makes one operator, tenant and project, however often and at once it runs', async () => {
    const fresh = await startTestStore()
    try {
      await migrate(fresh.store, storeMigrations, identityMigrations)
      const other = await createIdentity({ store: fresh.store, instance, baseUrl: ORIGIN })
      const homes = await Promise.all([other.bootstrap(), other.bootstrap(), other.bootstrap()])
      expect(homes.filter((found) => found.created)).toHaveLength(1)
      expect(new Set(homes.map((found) => found.tenantId)).size).toBe(1)
      expect(await count(fresh.store, 'auth_users')).toBe(1)
      expect(homes[0]?.tenantId).toMatch(/^tenant_/)
      expect(homes[0]?.userId).toMatch(/^user_/)
    } finally {
      await fresh.close()
    }
  })
})

describe('one-time link', { timeout: 60_000 }, () => {
  it('signs the operator in, with a cookie that scripts and other sites cannot use', async () => {
    const response = await signInByLink()
    expect(response.status).toBe(200)
    const cookie = response.headers.getSetCookie().find((text) => text.includes('session_token')) ?? ''
    expect(cookie).toMatch(/^medley\./)
    expect(cookie).toContain('HttpOnly')
    expect(cookie).toContain('SameSite=Lax')
    expect(cookie).not.toContain('Secure')
    expect(await identity.sessionOf(cookiesOf(response))).toMatchObject({ ...homeOf(home), role: 'operator' })
  })

  it('works once, also for two who come at the same moment', async () => {
    const { token } = await identity.oneTimeLinks.create(home.userId)
    const answers = await Promise.all([1, 2, 3, 4].map(() => post('/one-time-link/verify', { token })))
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 401, 401, 401])
    expect((await post('/one-time-link/verify', { token })).status).toBe(401)
  })

  it('refuses an unknown or expired token and keeps none in the database', async () => {
    expect((await post('/one-time-link/verify', { token: 'x'.repeat(43) })).status).toBe(401)
    const { token, expiresAt } = await identity.oneTimeLinks.create(home.userId)
    expect(expiresAt.getTime()).toBeGreaterThan(Date.now())
    const stored = await test.store.pool.query('select identifier, value from auth_verifications')
    expect(stored.rows.length).toBeGreaterThan(0)
    expect(JSON.stringify(stored.rows)).not.toContain(token)
    await test.store.pool.query(`update auth_verifications set "expiresAt" = now() - interval '1 second'`)
    expect((await post('/one-time-link/verify', { token })).status).toBe(401)
  })

  it('marks the cookie Secure where the console is reached by https', async () => {
    const secure = await createIdentity({ store: test.store, instance, baseUrl: 'https://factory.example' })
    const { token } = await secure.oneTimeLinks.create(home.userId)
    const response = await secure.handler(
      new Request('https://factory.example/api/auth/one-time-link/verify', {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: 'https://factory.example' },
        body: JSON.stringify({ token }),
      }),
    )
    expect(response.status).toBe(200)
    expect(response.headers.getSetCookie().join()).toContain('Secure')
  })

  it('is made for existing users only', async () => {
    await expect(identity.oneTimeLinks.create('user_nobody')).rejects.toMatchObject({ code: 'identity.user.not_found' })
  })
})

describe('session', { timeout: 60_000 }, () => {
  it('belongs to a person by password too, under their own role and tenant', async () => {
    const person = { email: 'Mei@Example.test', name: '梅', role: 'developer', tenantId: home.tenantId } as const
    const userId = await identity.people.add({ ...person, password: 'correct horse' })
    await expect(identity.people.add({ ...person, password: null })).rejects.toMatchObject({
      code: 'identity.user.exists',
    })
    const wrong = await post('/sign-in/email', { email: 'mei@example.test', password: 'incorrect horse' })
    expect(wrong.status).toBe(401)
    const right = await post('/sign-in/email', { email: 'mei@example.test', password: 'correct horse' })
    const headers = cookiesOf(right)
    expect(await identity.sessionOf(headers)).toMatchObject({ userId, role: 'developer', tenantId: home.tenantId })
    await test.store.pool.query('delete from auth_members where "userId" = $1', [userId])
    expect(await identity.sessionOf(headers)).toBeNull()
  })

  it('cannot be begun by strangers, from other sites or without a cookie', async () => {
    const body = { email: 'eve@example.test', password: 'long enough', name: 'Eve' }
    expect((await post('/sign-up/email', body)).status).toBe(400)
    const headers = cookiesOf(await signInByLink())
    const foreign = await post('/sign-out', {}, { cookie: headers.get('cookie') ?? '', origin: 'https://evil.test' })
    expect(foreign.status).toBe(403)
    expect(await identity.sessionOf(headers)).not.toBeNull()
    expect(await identity.sessionOf(new Headers())).toBeNull()
    expect(await identity.sessionOf(new Headers({ cookie: 'medley.session_token=forged.signature' }))).toBeNull()
  })

  it('is not taken for ended while the database is away', async () => {
    const headers = cookiesOf(await signInByLink())
    const connection = { ...test.connection, database: 'not_there' }
    const away = openStore({ connection, patienceMs: 100 })
    const cutOff = await createIdentity({ store: away, instance, baseUrl: ORIGIN })
    await expect(cutOff.sessionOf(headers)).rejects.toMatchObject({ code: 'store.unavailable' })
    await away.close()
  })

  it('ends with sign-out', async () => {
    const headers = cookiesOf(await signInByLink())
    expect((await post('/sign-out', {}, { cookie: headers.get('cookie') ?? '' })).status).toBe(200)
    expect(await identity.sessionOf(headers)).toBeNull()
  })

  it('of an operator may make a tenant, whose id is one of ours and which has a project', async () => {
    const cookie = cookiesOf(await signInByLink()).get('cookie') ?? ''
    const made = await post('/organization/create', { name: '第二', slug: 'second' }, { cookie })
    const { id } = (await made.json()) as { id: string }
    expect(id).toMatch(/^tenant_/)
    const { rows } = await test.store
      .tables()
      .run(systemScope('test'), (tx) => sql`select 1 from projects where tenant_id = ${id}`.execute(tx))
    expect(rows).toHaveLength(1)
  })

  it("also comes by the machine's own token", async () => {
    const bearer = (token: string) => new Headers({ authorization: `Bearer ${token}` })
    const { operatorToken } = instance.secrets
    expect(await identity.operatorOf(bearer(operatorToken))).toMatchObject({ ...homeOf(home), role: 'operator' })
    expect(await identity.operatorOf(bearer(`${operatorToken.slice(0, -1)}g`))).toBeNull()
    expect(await identity.operatorOf(bearer(''))).toBeNull()
    expect(identity.isOperatorToken(operatorToken)).toBe(true)
    expect(identity.isOperatorToken(`${operatorToken}0`)).toBe(false)
  })
})

function homeOf({ userId, tenantId, projectId }: Home): Home {
  return { userId, tenantId, projectId }
}

async function count(store: OpenedStore, table: string): Promise<number> {
  const { rows } = await store.pool.query<{ n: number }>(`select count(*)::int as n from ${table}`)
  return rows[0]?.n ?? -1
}
