import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { type Audit, type AuditEntry, auditMigrations, createAudit } from '@medley/audit'
import { AppError, createIdFactory, defineErrors, systemScope, type TenantScope } from '@medley/kernel'
import { startTestStore, type TestStore, waitFor } from '@medley/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createEnrolment, type Enrolment, enrolmentMigrations, generateNodeKey, type NodeRegister } from './index.ts'
import { type JoinRequest, joinAnswer } from './protocol.ts'

const PEPPER = 'pepper-of-the-test'
const FROM = '192.0.2.7'
const HOUR_MS = 3_600_000
const registerErrors = defineErrors('register', {
  full: { status: 409, title: { en: 'Full', 'zh-CN': '满' }, hint: { en: '-', 'zh-CN': '-' } },
})

let test: TestStore
let audit: Audit
let here: Enrolment
/** A second server process on the same store, as far as the store can tell. */
let there: Enrolment
let skewMs = 0
let brokenRegister: Error | null = null
/** What happens elsewhere while the register of nodes is at work. */
let meanwhile: ((nodeId: string) => Promise<void>) | null = null
const logged: unknown[] = []
const clock = { now: () => Date.now() + skewMs }
const ids = createIdFactory(clock, (size) => new Uint8Array(randomBytes(size)))
const system = systemScope('test')

const registered = new Map<string, { nodeId: string; tenantId: string | null; simulated: boolean }>()
const register: NodeRegister = {
  async enrol({ nodeKey, tenantId, simulated }) {
    if (brokenRegister !== null) throw brokenRegister
    const known = registered.get(nodeKey)
    const node = known ?? { nodeId: ids.next('node'), tenantId, simulated }
    registered.set(nodeKey, node)
    await meanwhile?.(node.nodeId)
    return { nodeId: node.nodeId, isNew: known === undefined }
  },
}

function open(): Enrolment {
  const { publicKey } = generateKeyPairSync('ed25519')
  const instance = { id: 'inst_test', publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() }
  const log = (...said: unknown[]) => logged.push(said)
  const ports = { store: test.store, audit, nodes: register, ids, clock, instance, pepper: PEPPER, log, pollMs: 200 }
  return createEnrolment({ ...ports, randomBytes: (size) => new Uint8Array(randomBytes(size)) })
}

beforeAll(async () => {
  test = await startTestStore(auditMigrations, enrolmentMigrations)
  audit = createAudit({ store: test.store, ids, clock })
  here = open()
  there = open()
}, 120_000)
afterAll(async () => {
  here?.close()
  there?.close()
  await test?.close()
})
beforeEach(() => {
  skewMs = 0
  brokenRegister = null
  meanwhile = null
})

function tenant(): TenantScope {
  return { kind: 'tenant', tenantId: ids.next('tenant'), projectId: null, actor: { kind: 'user', id: 'user_op' } }
}

function request(fields: Partial<JoinRequest> = {}): JoinRequest {
  return {
    nodeKey: `key-${ids.next('node')}`,
    hostname: 'rack1-07',
    publicKey: generateNodeKey().publicKey,
    agentVersion: '0.1.0',
    simulated: false,
    ...fields,
  }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  )
  return error instanceof AppError ? error.code : String(error)
}

async function audited(scope: TenantScope, action: string): Promise<readonly AuditEntry[]> {
  return audit.list(scope, { after: null, limit: 1_000, action })
}

async function stored(): Promise<string> {
  const everything = await test.store
    .tables()
    .run(system, async (tx) => [
      await sql`select audit_entries::text from audit_entries`.execute(tx),
      await sql`select join_tokens::text from join_tokens`.execute(tx),
      await sql`select node_keys::text from node_keys`.execute(tx),
    ])
  return JSON.stringify(everything.map(({ rows }) => rows))
}

describe('join tokens', () => {
  it('are shown once, last an hour, serve one node and are listed newest first', async () => {
    const scope = tenant()
    const { token, view } = await here.createToken(scope, { note: 'rack 1' })
    expect(token).toMatch(/^mjt_[0-9A-Za-z]{10}_[0-9A-Za-z]{43}$/)
    expect(view).toMatchObject({ tenantId: scope.tenantId, note: 'rack 1', createdBy: 'user_op', usesLeft: 1 })
    expect(view).toMatchObject({ revokedAt: null, dedicated: false, simulated: false })
    expect(view.expiresAt.getTime() - view.createdAt.getTime()).toBe(HOUR_MS)
    skewMs = 5
    const second = await here.createToken(scope, { note: 'rack 2', uses: 40, ttlMs: 24 * HOUR_MS })
    expect(await there.tokens(scope, { after: null, limit: 10 })).toEqual([second.view, view])
    expect(await there.tokens(scope, { after: second.view.id, limit: 10 })).toEqual([view])
    expect(await here.tokens(tenant(), { after: null, limit: 10 })).toEqual([])
    expect(await audited(scope, 'join-token.create')).toHaveLength(2)
  })

  it.each([
    { ttlMs: 24 * HOUR_MS + 1 },
    { ttlMs: 0 },
    { ttlMs: Number.NaN },
    { uses: 0 },
    { uses: 2_001 },
    { uses: 1.5 },
    { note: 'x'.repeat(201) },
  ])('are refused beyond their bounds: %j', async (wish) => {
    expect(await codeOf(here.createToken(tenant(), { note: '', ...wish }))).toBe('enrolment.token.invalid')
  })

  it('are revoked by their tenant alone, for all processes', async () => {
    const [scope, other] = [tenant(), tenant()]
    const { token, view } = await here.createToken(scope, { note: '' })
    expect(await codeOf(here.revokeToken(other, view.id))).toBe('enrolment.token.unknown')
    expect(await audited(other, 'join-token.revoke')).toMatchObject([
      { outcome: 'denied', code: 'enrolment.token.unknown', subject: view.id },
    ])
    await here.revokeToken(scope, view.id)
    const [revoked] = await here.tokens(scope, { after: null, limit: 1 })
    await here.revokeToken(scope, view.id)
    expect(await here.tokens(scope, { after: null, limit: 1 })).toEqual([revoked])
    expect(await audited(scope, 'join-token.revoke')).toMatchObject([{ outcome: 'done', subject: view.id }])
    expect(await codeOf(there.join(token, request(), FROM))).toBe('enrolment.token.refused')
    expect((await audited(scope, 'join-token.use'))[0]).toMatchObject({
      outcome: 'denied',
      detail: { reason: 'revoked' },
    })
  })
})

describe('a join', () => {
  it('answers whom to trust, keeps the key and is audited', async () => {
    const scope = tenant()
    const { token, view } = await here.createToken(scope, { note: '', dedicated: true })
    const asked = request()
    const answer = await here.join(token, asked, FROM)
    expect(joinAnswer.parse(answer)).toMatchObject({ instanceId: 'inst_test' })
    expect(await there.keyOf(answer.nodeId)).toEqual({ publicKey: asked.publicKey, tenantId: scope.tenantId })
    expect(await there.keyOf('node_nobody')).toBeNull()
    const place = { from: FROM, outcome: 'done', code: null, tenantId: scope.tenantId }
    expect(await audited(scope, 'join-token.use')).toMatchObject([
      { ...place, subject: view.id, detail: { usesLeft: 0 } },
    ])
    expect(await audited(scope, 'node.join')).toMatchObject([
      {
        ...place,
        subject: answer.nodeId,
        actor: { kind: 'node', id: answer.nodeId },
        detail: { hostname: 'rack1-07', renewed: false, tokenId: view.id, keyFingerprint: expect.any(String) },
      },
    ])
  })

  it('by a token that is not dedicated is for all', async () => {
    const { token } = await here.createToken(tenant(), { note: '', simulated: true })
    const asked = request()
    const { nodeId } = await here.join(token, asked, FROM)
    expect(await here.keyOf(nodeId)).toMatchObject({ tenantId: null })
    expect(registered.get(asked.nodeKey)).toMatchObject({ tenantId: null, simulated: true })
  })

  it('with one single-use token succeeds for exactly one of fifty at once, through two processes', async () => {
    const scope = tenant()
    const { token, view } = await here.createToken(scope, { note: '' })
    const before = registered.size
    const codes = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        codeOf((index % 2 === 0 ? here : there).join(token, request(), FROM).then(() => null)),
      ),
    )
    expect(codes.filter((code) => code === 'null')).toHaveLength(1)
    expect(codes.filter((code) => code === 'enrolment.token.refused')).toHaveLength(49)
    expect(registered.size - before).toBe(1)
    const uses = await audited(scope, 'join-token.use')
    expect(uses.filter(({ outcome }) => outcome === 'done')).toHaveLength(1)
    expect(uses.filter(({ detail }) => detail.reason === 'spent')).toHaveLength(49)
    expect(await here.tokens(scope, { after: null, limit: 1 })).toEqual([{ ...view, usesLeft: 0 }])
  }, 120_000)

  it('with a token for several serves so many and no more', async () => {
    const { token } = await here.createToken(tenant(), { note: '', uses: 3 })
    const codes = await Promise.all(
      Array.from({ length: 6 }, () => codeOf(here.join(token, request(), null).then(() => null))),
    )
    expect(codes.sort()).toEqual([...Array(3).fill('enrolment.token.refused'), ...Array(3).fill('null')])
  })

  it('of the same node renews its key: the old one is dead', async () => {
    const scope = tenant()
    const { token } = await here.createToken(scope, { note: '', uses: 2 })
    const asked = request()
    const first = await here.join(token, asked, FROM)
    const renewed = { ...asked, publicKey: generateNodeKey().publicKey }
    expect(await there.join(token, renewed, FROM)).toMatchObject({ nodeId: first.nodeId })
    expect(await here.keyOf(first.nodeId)).toMatchObject({ publicKey: renewed.publicKey })
    expect((await audited(scope, 'node.join'))[0]).toMatchObject({ detail: { renewed: true } })
  })

  it('of the factory’s own node needs no token, and no token can take that node over', async () => {
    const scope = tenant()
    const own = request()
    const { nodeId } = await here.joinOwn(own)
    expect(await here.keyOf(nodeId)).toEqual({ publicKey: own.publicKey, tenantId: null })
    expect(await here.joinOwn({ ...own, publicKey: generateNodeKey().publicKey })).toMatchObject({ nodeId })
    const { token } = await here.createToken(scope, { note: '' })
    expect(await codeOf(here.join(token, own, FROM))).toBe('enrolment.node.foreign')
    expect(await audit.list(system, { after: null, limit: 10, action: 'node.join', subject: nodeId })).toMatchObject([
      { outcome: 'denied', tenantId: scope.tenantId },
      { outcome: 'done', tenantId: null, actor: { kind: 'system' }, detail: { renewed: true } },
      { outcome: 'done', tenantId: null, actor: { kind: 'system' }, detail: { renewed: false } },
    ])
  })
})

describe('a join is refused and audited', () => {
  it('for a stolen token used twice', async () => {
    const scope = tenant()
    const { token, view } = await here.createToken(scope, { note: '' })
    const asked = request()
    await here.join(token, asked, FROM)
    for (const again of [request({ hostname: 'thief' }), asked]) {
      expect(await codeOf(there.join(token, again, '203.0.113.66'))).toBe('enrolment.token.refused')
      expect((await audited(scope, 'join-token.use'))[0]).toMatchObject({
        outcome: 'denied',
        code: 'enrolment.token.refused',
        subject: view.id,
        from: '203.0.113.66',
        detail: { reason: 'spent', hostname: again.hostname },
      })
    }
  })

  it('for an expired token', async () => {
    const scope = tenant()
    const { token } = await here.createToken(scope, { note: '', ttlMs: 60_000 })
    skewMs = 60_001
    const nodes = registered.size
    expect(await codeOf(here.join(token, request(), FROM))).toBe('enrolment.token.refused')
    expect(registered.size).toBe(nodes)
    expect(await audited(scope, 'join-token.use')).toMatchObject([
      { outcome: 'denied', from: FROM, detail: { reason: 'expired' } },
    ])
  })

  it('for a node of another tenant, without spending the token', async () => {
    const [owner, thief] = [tenant(), tenant()]
    const asked = request()
    const { nodeId } = await here.join((await here.createToken(owner, { note: '' })).token, asked, FROM)
    const stolen = await here.createToken(thief, { note: '' })
    expect(await codeOf(here.join(stolen.token, asked, FROM))).toBe('enrolment.node.foreign')
    expect(await audited(thief, 'node.join')).toMatchObject([
      { outcome: 'denied', code: 'enrolment.node.foreign', subject: nodeId, from: FROM },
    ])
    expect(await here.keyOf(nodeId)).toMatchObject({ publicKey: asked.publicKey })
    expect(await here.tokens(thief, { after: null, limit: 1 })).toEqual([stolen.view])
  })

  it('for all tenants but one that claim the same new node at once', async () => {
    const asked = request()
    const claims = await Promise.all(
      Array.from({ length: 6 }, async (_, index) => {
        const { token } = await here.createToken(tenant(), { note: '' })
        return codeOf((index % 2 === 0 ? here : there).join(token, asked, FROM).then(() => null))
      }),
    )
    expect(claims.sort()).toEqual([...Array(5).fill('enrolment.node.foreign'), 'null'])
  })

  it('for a guessed secret, an unknown token and any other text', async () => {
    const scope = tenant()
    const { token, view } = await here.createToken(scope, { note: '' })
    const guessed = token.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a'))
    expect(await codeOf(here.join(guessed, request(), FROM))).toBe('enrolment.token.refused')
    expect(await audited(scope, 'join-token.use')).toMatchObject([
      { subject: view.id, detail: { reason: 'wrong-secret' } },
    ])
    const nobody = `mjt_${'0'.repeat(10)}_${'0'.repeat(43)}`
    for (const [text, reason] of [
      [nobody, 'unknown'],
      ['', 'malformed'],
      [`${token}\u0000`, 'malformed'],
    ] as const) {
      const asked = request({ hostname: `host-${randomBytes(4).toString('hex')}` })
      expect(await codeOf(here.join(text, asked, null))).toBe('enrolment.token.refused')
      const entries = await audit.list(system, { after: null, limit: 1_000, action: 'join-token.use' })
      const entry = entries.find(({ detail }) => detail.hostname === asked.hostname)
      expect(entry).toMatchObject({ tenantId: null, subject: null, outcome: 'denied', detail: { reason } })
    }
    expect(await codeOf(here.join(token, request(), FROM).then(() => null))).toBe('null')
  })

  it('for a key that is none, and for a node that changes its kind', async () => {
    const scope = tenant()
    const { token, view } = await here.createToken(scope, { note: '' })
    const asked = request({ publicKey: 'not canonical, so no key' })
    expect(await codeOf(here.join(token, asked, FROM))).toBe('enrolment.key.invalid')
    const real = request()
    await here.joinOwn(real)
    expect(await codeOf(here.joinOwn({ ...real, simulated: true }))).toBe('enrolment.node.kind')
    expect(await here.tokens(scope, { after: null, limit: 1 })).toEqual([view])
    expect(await audited(scope, 'node.join')).toMatchObject([{ outcome: 'denied', code: 'enrolment.key.invalid' }])
  })

  it('where the register of nodes refuses or breaks: that costs the use, and there is no key', async () => {
    const scope = tenant()
    const { token } = await here.createToken(scope, { note: '', uses: 3 })
    const asked = request()
    brokenRegister = registerErrors.full()
    expect(await codeOf(here.join(token, asked, FROM))).toBe('register.full')
    brokenRegister = new Error('the server was killed')
    expect(await codeOf(here.join(token, asked, FROM))).toBe('Error: the server was killed')
    expect(await audited(scope, 'node.join')).toMatchObject([
      { outcome: 'failed', code: null },
      { outcome: 'denied', code: 'register.full' },
    ])
    expect(await here.tokens(scope, { after: null, limit: 1 })).toMatchObject([{ usesLeft: 1 }])
    brokenRegister = null
    const { nodeId } = await here.join(token, asked, FROM)
    expect(await here.keyOf(nodeId)).toMatchObject({ publicKey: asked.publicKey })
  })
})

describe('a revoked node', () => {
  it('has no key, cannot join again, and is told of at once here and soon in other processes', async () => {
    const scope = tenant()
    const { token, view } = await here.createToken(scope, { note: '', uses: 2, dedicated: true })
    const asked = request()
    const { nodeId } = await here.join(token, asked, FROM)
    const heard = { here: [] as string[], there: [] as string[] }
    const stops = [here.onRevoked((id) => heard.here.push(id)), there.onRevoked((id) => heard.there.push(id))]
    await here.revokeNode(scope, nodeId, 'stolen')
    expect(heard.here.filter((id) => id === nodeId)).toEqual([nodeId])
    expect(await there.keyOf(nodeId)).toBeNull()
    await waitFor('the other process', () => heard.there.includes(nodeId))
    await here.revokeNode(scope, nodeId, 'again')
    expect(await codeOf(there.join(token, asked, FROM))).toBe('enrolment.node.revoked')
    expect((await audited(scope, 'node.join'))[0]).toMatchObject({ outcome: 'denied', subject: nodeId })
    expect(await here.tokens(scope, { after: null, limit: 1 })).toEqual([{ ...view, usesLeft: 1 }])
    expect(await audited(scope, 'node.revoke')).toMatchObject([
      { outcome: 'done', subject: nodeId, actor: { id: 'user_op' }, detail: { reason: 'stolen' } },
    ])
    for (const stop of stops) stop()
  })

  it('stays so when it is revoked in the middle of its own join', async () => {
    const scope = tenant()
    const { token } = await here.createToken(scope, { note: '', uses: 2 })
    const asked = request()
    const { nodeId } = await here.join(token, asked, FROM)
    meanwhile = (id) => there.revokeNode(scope, id, 'stolen')
    const renewed = { ...asked, publicKey: generateNodeKey().publicKey }
    expect(await codeOf(here.join(token, renewed, FROM))).toBe('enrolment.node.revoked')
    expect(await here.keyOf(nodeId)).toBeNull()
    expect((await audited(scope, 'node.join'))[0]).toMatchObject({ outcome: 'denied', code: 'enrolment.node.revoked' })
  })

  it('is told of once by each process, whoever revokes and however many at once', async () => {
    const scope = tenant()
    const { token } = await here.createToken(scope, { note: '', uses: 12 })
    const nodes = await Promise.all(Array.from({ length: 12 }, () => here.join(token, request(), FROM)))
    const expected = nodes.map(({ nodeId }) => nodeId).sort()
    const heard = { here: [] as string[], there: [] as string[] }
    const stops = [
      here.onRevoked((id) => expected.includes(id) && heard.here.push(id)),
      there.onRevoked((id) => expected.includes(id) && heard.there.push(id)),
      here.onRevoked(() => {
        throw new Error('a listener that fails')
      }),
    ]
    await Promise.all(expected.map((id, index) => (index % 2 === 0 ? here : there).revokeNode(scope, id, 'all')))
    await waitFor('both processes', () => heard.here.length >= 12 && heard.there.length >= 12)
    expect(heard.here.sort()).toEqual(expected)
    expect(heard.there.sort()).toEqual(expected)
    for (const stop of stops) stop()
  })

  it('is told of to a process that starts in that moment', async () => {
    const scope = tenant()
    const { token } = await here.createToken(scope, { note: '' })
    const { nodeId } = await here.join(token, request(), FROM)
    await here.revokeNode(scope, nodeId, 'gone')
    const heard: string[] = []
    const late = open()
    late.onRevoked((id) => heard.push(id))
    await waitFor('the late process', () => heard.includes(nodeId))
    late.close()
    expect(heard).toContain(nodeId)
  })

  it('of another tenant is unknown, of the centre is within an operator’s reach', async () => {
    const [owner, other] = [tenant(), tenant()]
    const join = async (dedicated: boolean) => {
      const { token } = await here.createToken(owner, { note: '', dedicated })
      return (await here.join(token, request(), FROM)).nodeId
    }
    const [own, common] = [await join(true), await join(false)]
    expect(await codeOf(here.revokeNode(other, own, 'mine now'))).toBe('enrolment.node.unknown')
    expect(await codeOf(here.revokeNode(other, 'node_nobody', ''))).toBe('enrolment.node.unknown')
    expect(await here.keyOf(own)).not.toBeNull()
    expect(await audited(other, 'node.revoke')).toMatchObject([
      { outcome: 'denied', subject: 'node_nobody' },
      { outcome: 'denied', subject: own, code: 'enrolment.node.unknown' },
    ])
    await here.revokeNode(other, common, 'broken')
    expect(await here.keyOf(common)).toBeNull()
  })
})

it('keeps no token in the store or a log, and no node without a use', async () => {
  const scope = tenant()
  const { token } = await here.createToken(scope, { note: '' })
  await here.join(token, request({ hostname: `x ${token} y` }), token)
  await codeOf(here.join(token, request({ agentVersion: token }), FROM))
  const secret = token.slice(15)
  expect(secret).toHaveLength(43)
  const everything = await stored()
  expect(everything).not.toContain(secret)
  expect(everything).not.toMatch(/mjt_[0-9A-Za-z]{10}_/)
  expect(JSON.stringify(logged)).not.toMatch(/mjt_/)
})

it('goes without a poll after close', async () => {
  const closing = open()
  const heard: string[] = []
  closing.onRevoked((id) => heard.push(id))
  closing.close()
  const scope = tenant()
  const { token } = await here.createToken(scope, { note: '' })
  const { nodeId } = await here.join(token, request(), FROM)
  const told: string[] = []
  const stop = there.onRevoked((id) => told.push(id))
  await here.revokeNode(scope, nodeId, 'gone')
  await waitFor('an open process', () => told.includes(nodeId))
  expect(heard).toEqual([])
  stop()
})
