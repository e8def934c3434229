import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { generateNodeKey } from './index.ts'
import { joinAnswer } from './protocol.ts'
import {
  audit,
  audited,
  codeOf,
  FROM,
  HOUR_MS,
  here,
  logged,
  registered,
  request,
  system,
  tenant,
  test,
  there,
  turn,
  useTwoServers,
} from './two-servers.fixture.ts'

useTwoServers()

describe('join tokens', () => {
  it('are shown once, last an hour, serve one node and are listed newest first', async () => {
    const scope = tenant()
    const { token, view } = await here.createToken(scope, { note: 'rack 1' })
    expect(token).toMatch(/^mjt_[0-9A-Za-z]{10}_[0-9A-Za-z]{43}$/)
    expect(view).toMatchObject({ tenantId: scope.tenantId, note: 'rack 1', createdBy: 'user_op', usesLeft: 1 })
    expect(view).toMatchObject({ revokedAt: null, dedicated: false, simulated: false })
    expect(view.expiresAt.getTime() - view.createdAt.getTime()).toBe(HOUR_MS)
    turn.skewMs = 5
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
      Array.from({ length: 50 }, (_, index) => codeOf((index % 2 === 0 ? here : there).join(token, request(), FROM))),
    )
    expect(codes.filter((code) => code === 'done')).toHaveLength(1)
    expect(codes.filter((code) => code === 'enrolment.token.refused')).toHaveLength(49)
    expect(registered.size - before).toBe(1)
    const uses = await audited(scope, 'join-token.use')
    expect(uses.filter(({ outcome }) => outcome === 'done')).toHaveLength(1)
    expect(uses.filter(({ detail }) => detail.reason === 'spent')).toHaveLength(49)
    expect(await here.tokens(scope, { after: null, limit: 1 })).toEqual([{ ...view, usesLeft: 0 }])
  }, 120_000)

  it('with a token for several serves so many and no more', async () => {
    const { token } = await here.createToken(tenant(), { note: '', uses: 3 })
    const codes = await Promise.all(Array.from({ length: 6 }, () => codeOf(here.join(token, request(), null))))
    expect(codes.sort()).toEqual([...Array(3).fill('done'), ...Array(3).fill('enrolment.token.refused')])
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
