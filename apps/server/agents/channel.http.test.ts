import { generateNodeKey, newNonce, verifyChallenge } from '@medley/enrolment'
import { CHANNEL_VERSION, joinAnswer } from '@medley/enrolment/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditEntry, createdJoinToken, node } from '../api/fleet-schemas.ts'
import { chip, page, problem } from '../api/schemas.ts'
import { startTestFactory, type TestFactory } from '../http/test-factory.ts'
import { agentReport } from '../http/test-samples.ts'
import { dial, introduce } from './test-agent.ts'

let test: TestFactory
let address: string

beforeAll(async () => {
  test = await startTestFactory()
  address = await test.listen()
}, 120_000)
afterAll(() => test.close())

const read = async (path: string) => (await test.asOperator(path)).json()
const post = (path: string, body: unknown = {}) => test.asOperator(path, { method: 'POST', body: JSON.stringify(body) })
const stateOf = async (nodeId: string) => node.parse(await read(`/api/v1/nodes/${nodeId}`)).state
const report = (nodeKey: string, bootId = 'boot', waitMs = 0) => ({ ...agentReport(), nodeKey, bootId, waitMs })
const until = async (look: () => Promise<boolean>) => {
  for (let tries = 0; tries < 600 && !(await look()); tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 50))
  expect(await look()).toBe(true)
}
/** As the agent of another machine does. */
const joinByToken = async (nodeKey: string) => {
  const { token } = createdJoinToken.parse(await (await post('/api/v1/join-tokens')).json())
  const key = generateNodeKey()
  const joined = await test.app.request('/agents/v1/join', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ nodeKey, hostname: nodeKey, publicKey: key.publicKey, agentVersion: '0' }),
  })
  return { nodeId: joinAnswer.parse(await joined.json()).nodeId, key }
}
const auditOf = async (query: string) => page(auditEntry).parse(await read(`/api/v1/audit?${query}`)).items

describe('the opening of a connection', { timeout: 60_000 }, () => {
  it('proves both sides to each other and tells the time', async () => {
    const identity = await test.joinOwn('opening')
    const nonce = newNonce()
    const agent = dial(address)
    agent.send({
      type: 'hello',
      version: CHANNEL_VERSION,
      nodeId: identity.nodeId,
      bootId: 'b',
      nonce,
      agentVersion: '0',
    })
    const challenge = await agent.next('challenge')
    const { key } = { key: generateNodeKey() }
    const joined = await test.asProcess('/internal/agents/join', {
      nodeKey: 'another',
      hostname: 'another',
      publicKey: key.publicKey,
      agentVersion: '0',
    })
    const { instanceKey, instanceId } = joinAnswer.parse(await joined.json())
    const said = { instanceId, agentNonce: nonce, serverNonce: challenge.nonce }
    expect(verifyChallenge(instanceKey, said, challenge.signature)).toBe(true)
    agent.close()

    const proven = await introduce(address, identity)
    expect(await proven.next('welcome')).toMatchObject({ nodeId: identity.nodeId, sampleIntervalMs: 15_000 })
    await until(async () => (await stateOf(identity.nodeId)) === 'connected')
    proven.close()
  })

  it.each([
    ['a node that nobody knows', async () => ({ nodeId: 'node_nobody', key: generateNodeKey() })],
    ['another key than the node’s', async () => ({ ...(await test.joinOwn('robbed')), key: generateNodeKey() })],
  ])('ends for good with %s', async (_who, identity) => {
    const agent = await introduce(address, await identity())
    expect(await agent.next('refused')).toEqual({ type: 'refused', code: 'server.channel.stranger', final: true })
    await agent.closed
  })

  it('tells an agent of another version so', async () => {
    const agent = await introduce(address, { ...(await test.joinOwn('old')), version: 99 })
    expect(await agent.next('refused')).toEqual({ type: 'refused', code: 'server.channel.version', final: true })
  })

  it('takes a recorded proof for nothing: the challenge is another each time', async () => {
    const identity = await test.joinOwn('recorded')
    const first = dial(address)
    const nonce = newNonce()
    const { nodeId } = identity
    const hello = { type: 'hello', version: 1, nodeId, bootId: 'b', nonce, agentVersion: '0' } as const
    first.send(hello)
    const one = await first.next('challenge')
    const second = dial(address)
    second.send(hello)
    expect((await second.next('challenge')).nonce).not.toBe(one.nonce)
    first.close()
    second.close()
  })

  it.each(['nonsense', '{"type":"proof","signature":"AA"}', `{"type":"hello","x":"${'x'.repeat(5_000)}"}`])(
    'ends with what is no opening: %.40s',
    async (text) => {
      const agent = dial(address)
      agent.send(text)
      expect(await agent.next('refused')).toMatchObject({ code: 'server.channel.broken-frame', final: false })
      await agent.closed
    },
  )

  it('is not for browsers', async () => {
    const agent = dial(address, { origin: 'https://evil.test' })
    await expect(agent.next('challenge')).rejects.toThrow(/403/)
  })
})

describe('a connection', { timeout: 60_000 }, () => {
  it('shows what the agent reports, and keeps its readings with the clock’s skew taken off', async () => {
    const identity = await test.joinOwn('readings')
    const agent = await introduce(address, identity)
    await agent.next('welcome')
    const seen = report('readings')
    const [first] = seen.chips
    if (!first) throw new Error('no chip')
    const chips = [{ ...first, uuid: 'chip-with-readings' }]
    agent.send({ type: 'report', id: 1, report: { ...seen, chips } })
    expect(await agent.next('orders')).toMatchObject({ id: 1, orders: { nodeId: identity.nodeId, workloads: [] } })
    const layout = { chips: ['chip-with-readings'], metrics: ['temperatureCelsius', 'notYetKnown'] }
    const skewMs = 3_600_000
    const nowMs = Date.now() + skewMs
    agent.send({ type: 'samples', id: 2, nowMs, samples: [{ atMs: nowMs, values: [[55, 1]] }], gaps: [] })
    expect(await agent.next('failed')).toEqual({ type: 'failed', id: 2, code: 'server.channel.no-layout' })
    agent.send({ type: 'layout', layout })
    agent.send({ type: 'samples', id: 3, nowMs, samples: [{ atMs: nowMs, values: [[55, 1]] }], gaps: [] })
    expect(await agent.next('stored')).toEqual({ type: 'stored', id: 3 })
    const shown = chip.parse(await read('/api/v1/chips/chip-with-readings'))
    expect(shown.reading?.values).toEqual({ temperatureCelsius: 55 })
    expect(Math.abs(Date.parse(shown.reading?.at ?? '') - Date.now())).toBeLessThan(60_000)
    const skew = node.parse(await read(`/api/v1/nodes/${identity.nodeId}`)).clockSkewMs ?? 0
    expect(Math.abs(skew - skewMs)).toBeLessThan(60_000)
    agent.close()
  })

  it('does not let one node write the readings of another’s chip', async () => {
    const [victim, thief] = [await test.joinOwn('victim'), await test.joinOwn('thief')]
    const seen = report('victim')
    await test.report({ ...seen, chips: seen.chips.map((each) => ({ ...each, uuid: 'chip-of-victim' })) })
    await read('/api/v1/fleet/map')
    for (const [identity, celsius] of [[victim, 40] as const, [thief, 99] as const]) {
      const agent = await introduce(address, identity)
      await agent.next('welcome')
      agent.send({ type: 'layout', layout: { chips: ['chip-of-victim'], metrics: ['temperatureCelsius'] } })
      const nowMs = Date.now()
      agent.send({ type: 'samples', id: 1, nowMs, samples: [{ atMs: nowMs, values: [[celsius]] }], gaps: [] })
      await agent.next('stored')
      agent.close()
    }
    const shown = chip.parse(await read('/api/v1/chips/chip-of-victim'))
    expect(shown.reading?.values).toEqual({ temperatureCelsius: 40 })
  })

  it('that breaks the protocol ends, and only that one', async () => {
    const [broken, sound] = [await test.joinOwn('broken'), await test.joinOwn('sound')]
    const [first, second] = [await introduce(address, broken), await introduce(address, sound)]
    await Promise.all([first.next('welcome'), second.next('welcome')])
    first.send('{"type":"report"')
    expect(await first.next('refused')).toMatchObject({ code: 'server.channel.broken-frame', final: false })
    await first.closed
    second.send(Buffer.from([1, 2, 3]))
    expect(await second.next('refused')).toMatchObject({ code: 'server.channel.broken-frame' })
    const again = await introduce(address, broken)
    await again.next('welcome')
    again.close()
  })

  it('holds an answer until something is wanted of this very node', async () => {
    const [identity, other] = [await test.joinOwn('waiting'), await test.joinOwn('unconcerned')]
    const [agent, bystander] = [await introduce(address, identity), await introduce(address, other)]
    await Promise.all([agent.next('welcome'), bystander.next('welcome')])
    agent.send({ type: 'report', id: 1, report: report('waiting') })
    bystander.send({ type: 'report', id: 1, report: { ...report('unconcerned'), chips: [] } })
    const [{ orders }, { orders: none }] = [await agent.next('orders'), await bystander.next('orders')]
    const held = { ...report('waiting', 'boot', 30_000), appliedRevision: orders.revision }
    agent.send({ type: 'report', id: 2, report: held })
    const shortly = { ...report('unconcerned', 'boot', 1_500), chips: [], appliedRevision: none.revision }
    bystander.send({ type: 'report', id: 2, report: shortly })
    const { tenantId, projectId } = await test.server.factory.identity.bootstrap()
    const scope = { kind: 'tenant', tenantId, projectId, actor: { kind: 'user', id: 'user_test' } } as const
    const begun = await test.server.factory.operations.of(scope).begin('proving', `${identity.nodeId} chip`, {})
    test.server.factory.live.touch('proving')
    const answer = await agent.next('orders')
    expect(answer).toMatchObject({ id: 2, orders: { workloads: [{ id: begun.id, kind: 'proving' }] } })
    expect((await bystander.next('orders')).orders).toEqual(none)
    await test.server.factory.operations.all.finish(begun.id, null)
    agent.close()
    bystander.close()
  })

  it('answers an older report at once when a newer one comes', async () => {
    const identity = await test.joinOwn('impatient')
    const agent = await introduce(address, identity)
    await agent.next('welcome')
    agent.send({ type: 'report', id: 1, report: report('impatient') })
    const { orders } = await agent.next('orders')
    const held = { ...report('impatient', 'boot', 60_000), appliedRevision: orders.revision }
    agent.send({ type: 'report', id: 2, report: held })
    agent.send({ type: 'report', id: 3, report: { ...held, waitMs: 0 } })
    const ids = [(await agent.next('orders')).id, (await agent.next('orders')).id]
    expect(ids.toSorted()).toEqual([2, 3])
    agent.close()
  })
})

describe('a second connection of one node', { timeout: 60_000 }, () => {
  it('takes over from one of the same start', async () => {
    const identity = await test.joinOwn('twice')
    const first = await introduce(address, identity)
    await first.next('welcome')
    const second = await introduce(address, identity)
    await second.next('welcome')
    expect(await first.next('refused')).toMatchObject({ code: 'server.channel.replaced', final: false })
    await first.closed
    await until(async () => (await stateOf(identity.nodeId)) === 'connected')
    second.close()
  })

  it('is refused while another start of it answers, which the audit tells', async () => {
    const identity = await test.joinOwn('cloned')
    const first = await introduce(address, { ...identity, bootId: 'one' })
    await first.next('welcome')
    const second = await introduce(address, { ...identity, bootId: 'two' })
    expect(await second.next('refused')).toEqual({ type: 'refused', code: 'server.channel.in-use', final: false })
    await until(async () => (await auditOf(`action=node.connect&subject=${identity.nodeId}`)).length === 1)
    first.close()
  })

  it('is not needed to notice a dead one: it is dropped after ten seconds of silence', async () => {
    const { channel } = test.server.factory
    await until(async () => channel.connected() === 0)
    const agent = await introduce(address, await test.joinOwn('silent'))
    await agent.next('welcome')
    expect(channel.connected()).toBe(1)
    agent.freeze()
    await until(async () => channel.connected() === 0)
    agent.close()
  })

  it('takes over from one that does not answer any more', async () => {
    const identity = await test.joinOwn('frozen')
    const first = await introduce(address, { ...identity, bootId: 'one' })
    await first.next('welcome')
    first.freeze()
    const second = await introduce(address, { ...identity, bootId: 'two' })
    await second.next('welcome')
    second.close()
    first.close()
  })
})

describe('a node that is revoked', { timeout: 60_000 }, () => {
  it('is cut off and does not come back', async () => {
    const identity = await joinByToken('revoked')
    const agent = await introduce(address, identity)
    await agent.next('welcome')
    const revoked = await post(`/api/v1/nodes/${identity.nodeId}/revoke`, { reason: 'stolen' })
    expect(node.parse(await revoked.json()).state).toBe('revoked')
    expect(await agent.next('refused')).toEqual({ type: 'refused', code: 'server.channel.revoked', final: true })
    await agent.closed
    const again = await introduce(address, identity)
    expect(await again.next('refused')).toMatchObject({ code: 'server.channel.stranger', final: true })
    expect(await auditOf(`action=node.revoke&subject=${identity.nodeId}`)).toMatchObject([{ outcome: 'done' }])
  })

  it('is never the factory’s own, which is stopped instead', async () => {
    const { nodeId } = await test.joinOwn('own')
    const refused = await post(`/api/v1/nodes/${nodeId}/revoke`, { reason: 'x' })
    expect([refused.status, problem.parse(await refused.json()).code]).toEqual([409, 'server.node.own'])
    expect(await stateOf(nodeId)).not.toBe('revoked')
  })

  it('is cut off also when another server of the same store is told so', async () => {
    const identity = await test.joinOwn('revoked-elsewhere')
    const agent = await introduce(address, identity)
    await agent.next('welcome')
    const elsewhere = await test.restarted()
    const { tenantId, projectId } = await test.server.factory.identity.bootstrap()
    const scope = { kind: 'tenant', tenantId, projectId, actor: { kind: 'user', id: 'user_test' } } as const
    await elsewhere.factory.revokeNode(scope, identity.nodeId, 'stolen', { centre: true })
    expect(await agent.next('refused')).toMatchObject({ code: 'server.channel.revoked', final: true })
  })
})

describe('a node that joins again with another key', { timeout: 60_000 }, () => {
  const rejoin = async (server: TestFactory['server'], nodeKey: string) => {
    const key = generateNodeKey()
    const request = { nodeKey, hostname: nodeKey, publicKey: key.publicKey, agentVersion: '0', simulated: false }
    return { ...(await server.factory.joinOwn(request)), key }
  }
  const replaced = { type: 'refused', code: 'server.channel.replaced', final: false }

  it('cuts off at once who is connected with the old one', async () => {
    const identity = await test.joinOwn('rekeyed')
    const old = await introduce(address, { ...identity, bootId: 'one' })
    await old.next('welcome')
    const renewed = await rejoin(test.server, 'rekeyed')
    expect(await old.next('refused')).toEqual(replaced)
    await old.closed
    const again = await introduce(address, { ...identity, bootId: 'one' })
    expect(await again.next('refused')).toMatchObject({ code: 'server.channel.stranger', final: true })
    const agent = await introduce(address, { ...renewed, bootId: 'two' })
    expect(await agent.next('welcome')).toMatchObject({ nodeId: identity.nodeId })
    agent.close()
  })

  it('takes its place from a living connection of the old one, also before the server was told', async () => {
    const identity = await test.joinOwn('rekeyed-elsewhere')
    const old = await introduce(address, { ...identity, bootId: 'one' })
    await old.next('welcome')
    const elsewhere = await test.restarted()
    const renewed = await rejoin(elsewhere, 'rekeyed-elsewhere')
    const agent = await introduce(address, { ...renewed, bootId: 'two' })
    await agent.next('welcome')
    expect(await old.next('refused')).toEqual(replaced)
    await until(async () => (await stateOf(identity.nodeId)) === 'connected')
    expect(await auditOf(`action=node.connect&subject=${identity.nodeId}`)).toEqual([])
    agent.close()
  })

  it('cuts the old one off also when another server of the same store is asked', async () => {
    const identity = await test.joinOwn('rekeyed-at-another')
    const old = await introduce(address, identity)
    await old.next('welcome')
    const renewed = await rejoin(await test.restarted(), 'rekeyed-at-another')
    expect(await old.next('refused')).toEqual(replaced)
    const agent = await introduce(address, renewed)
    await agent.next('welcome')
    await rejoin(test.server, 'another-node')
    agent.send({ type: 'report', id: 1, report: { ...report('rekeyed-at-another'), chips: [] } })
    expect(await agent.next('orders')).toMatchObject({ id: 1 })
    agent.close()
  })
})

describe('joining over HTTP', { timeout: 60_000 }, () => {
  const createToken = async (wish: object) =>
    createdJoinToken.parse(await (await post('/api/v1/join-tokens', wish)).json())
  const join = (token: string, nodeKey: string) =>
    fetch(`${address}/agents/v1/join`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        nodeKey,
        hostname: nodeKey,
        publicKey: generateNodeKey().publicKey,
        agentVersion: '0',
        simulated: true,
      }),
    })
  const codeOf = async (answer: Response) => problem.parse(await answer.json()).code

  it('works once by a token of one use; the second try is refused and told in the audit', async () => {
    const { token, id, command } = await createToken({ note: 'rack 7', simulated: true })
    expect(command).toContain(token)
    const first = await join(token, 'sim-1')
    expect([first.status, joinAnswer.safeParse(await first.json()).success]).toEqual([201, true])
    const second = await join(token, 'sim-2')
    expect([second.status, await codeOf(second)]).toEqual([401, 'enrolment.token.refused'])
    const denied = await auditOf(`action=join-token.use&subject=${id}&outcome=denied`)
    expect(denied).toMatchObject([{ from: expect.stringContaining('127.0.0.1'), detail: { reason: 'spent' } }])
    expect(JSON.stringify(denied)).not.toContain(token)
  })

  it('is refused with a revoked token', async () => {
    const { token, id } = await createToken({ simulated: true })
    expect((await test.asOperator(`/api/v1/join-tokens/${id}`, { method: 'DELETE' })).status).toBe(204)
    expect(await codeOf(await join(token, 'sim-3'))).toBe('enrolment.token.refused')
  })

  it('answers a request that is none with the fields that are wrong, and spends nothing', async () => {
    const { token } = await createToken({ simulated: true })
    const odd = await fetch(`${address}/agents/v1/join`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{"nodeKey":1}',
    })
    expect([odd.status, await codeOf(odd)]).toEqual([400, 'server.request.invalid'])
    expect((await join(token, 'sim-4')).status).toBe(201)
  })

  it('is shut to an address that goes on trying', async () => {
    const codes: string[] = []
    for (let tries = 0; tries < 25; tries += 1) codes.push(await codeOf(await join('mjt_wrong', 'sim-5')))
    expect(codes.at(0)).toBe('enrolment.token.refused')
    expect(codes.at(-1)).toBe('server.join.too-many')
  })
})
