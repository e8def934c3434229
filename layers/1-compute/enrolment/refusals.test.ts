import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { enrolmentErrors } from './index.ts'
import {
  audit,
  audited,
  codeOf,
  FROM,
  here,
  registered,
  request,
  system,
  tenant,
  there,
  turn,
  useTwoServers,
} from './two-servers.fixture.ts'

useTwoServers()

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
    turn.skewMs = 60_001
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
        return codeOf((index % 2 === 0 ? here : there).join(token, asked, FROM))
      }),
    )
    expect(claims.sort()).toEqual(['done', ...Array(5).fill('enrolment.node.foreign')])
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
    expect(await codeOf(here.join(token, request(), FROM))).toBe('done')
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
    turn.brokenRegister = enrolmentErrors['node.foreign']()
    expect(await codeOf(here.join(token, asked, FROM))).toBe('enrolment.node.foreign')
    turn.brokenRegister = new Error('the server was killed')
    expect(await codeOf(here.join(token, asked, FROM))).toBe('Error: the server was killed')
    expect(await audited(scope, 'node.join')).toMatchObject([
      { outcome: 'failed', code: null },
      { outcome: 'denied', code: 'enrolment.node.foreign' },
    ])
    expect(await here.tokens(scope, { after: null, limit: 1 })).toMatchObject([{ usesLeft: 1 }])
    turn.brokenRegister = null
    const { nodeId } = await here.join(token, asked, FROM)
    expect(await here.keyOf(nodeId)).toMatchObject({ publicKey: asked.publicKey })
  })
})
