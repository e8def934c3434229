import { generateNodeKey } from '@medley/enrolment'
import { joinAnswer } from '@medley/enrolment/protocol'
import type { Id } from '@medley/kernel'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditEntry, createdJoinToken, fleetMap, fleetSummary, joinToken, node } from '../api/fleet-schemas.ts'
import { chip, page, problem } from '../api/schemas.ts'
import { CONSOLE, startTestFactory, type TestFactory } from './test-factory.ts'
import { agentReport } from './test-samples.ts'

type Ask = (path: string, method?: string, body?: unknown) => Promise<Response>

/** A tenant with an operator, and a node of its own. */
interface Tenant {
  readonly ask: Ask
  readonly nodeId: string
  readonly chipId: string
}

let test: TestFactory
let centre: { readonly nodeId: string; readonly chipId: string }
let mei: Tenant
let tom: Tenant

beforeAll(async () => {
  test = await startTestFactory()
  const nodeId = await test.report(agentReport())
  centre = { nodeId, chipId: await chipOf(asCentre, 'chip-under-test') }
  mei = await startTenant('mei')
  tom = await startTenant('tom')
}, 120_000)
afterAll(() => test.close())

const asCentre: Ask = (path, method = 'GET', body = undefined) =>
  test.asOperator(path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
const codeOf = async (answer: Response) => problem.parse(await answer.json()).code

async function chipOf(ask: Ask, uuid: string): Promise<string> {
  return chip.parse(await (await ask(`/api/v1/chips/${uuid}`)).json()).id
}

async function person(tenantId: string, name: string, role: 'operator' | 'developer' | 'auditor'): Promise<Ask> {
  const { identity } = test.server.factory
  const wish = { email: `${name}-${role}@example.test`, name, role, password: null, tenantId: tenantId as Id<'tenant'> }
  const cookie = await test.signIn(await identity.people.add(wish))
  return async (path, method = 'GET', body = undefined) =>
    test.app.request(path, {
      method,
      headers: { cookie, origin: CONSOLE, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
}

async function startTenant(name: string): Promise<Tenant> {
  const { identity } = test.server.factory
  const { userId } = await identity.bootstrap()
  const made = await test.app.request('/api/auth/organization/create', {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: CONSOLE, cookie: await test.signIn(userId) },
    body: JSON.stringify({ name, slug: name }),
  })
  const { id } = (await made.json()) as { id: string }
  const ask = await person(id, name, 'operator')
  const nodeId = await join(await tokenOf(ask, { dedicated: true }), name)
  const report = agentReport()
  const chips = report.chips.map((each) => ({ ...each, uuid: `chip-of-${name}` }))
  await test.server.factory.orders.absorb(nodeId, { ...report, nodeKey: name, chips }, null)
  return { ask, nodeId, chipId: await chipOf(ask, `chip-of-${name}`) }
}

async function tokenOf(ask: Ask, wish: object): Promise<string> {
  return createdJoinToken.parse(await (await ask('/api/v1/join-tokens', 'POST', wish)).json()).token
}

async function joining(token: string, nodeKey: string): Promise<Response> {
  return test.app.request('/agents/v1/join', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ nodeKey, hostname: nodeKey, publicKey: generateNodeKey().publicKey, agentVersion: '0' }),
  })
}
const join = async (token: string, nodeKey: string) =>
  joinAnswer.parse(await (await joining(token, nodeKey)).json()).nodeId

describe('a tenant', { timeout: 60_000 }, () => {
  it('sees the centre’s nodes and its own, in every list', async () => {
    const nodes = page(node).parse(await (await mei.ask('/api/v1/nodes')).json()).items
    expect(nodes.map(({ id }) => id).toSorted()).toEqual([centre.nodeId, mei.nodeId].toSorted())
    const chips = page(chip).parse(await (await mei.ask('/api/v1/chips')).json()).items
    expect(chips.map(({ id }) => id).toSorted()).toEqual([centre.chipId, mei.chipId].toSorted())
    const { cells } = fleetMap.parse(await (await mei.ask('/api/v1/fleet/map')).json())
    expect(cells.map(({ chipId }) => chipId).toSorted()).toEqual([centre.chipId, mei.chipId].toSorted())
    expect(fleetSummary.parse(await (await mei.ask('/api/v1/fleet/summary')).json())).toMatchObject({
      nodes: 2,
      chips: 2,
    })
    expect(fleetSummary.parse(await (await asCentre('/api/v1/fleet/summary')).json())).toMatchObject({
      nodes: 3,
      chips: 3,
    })
  })

  it('finds nothing of another’s by its id, to read or to change', async () => {
    const node = `/api/v1/nodes/${tom.nodeId}`
    const chip = `/api/v1/chips/${tom.chipId}`
    for (const [path, method, body] of [
      [node, 'GET'],
      [`${node}/cards`, 'GET'],
      [`${node}/topology`, 'GET'],
      [`${node}/gaps`, 'GET'],
      [node, 'PATCH', { labels: { mine: 'yes' } }],
      [`${node}/cordon`, 'POST', {}],
      [`${node}/revoke`, 'POST', { reason: 'x' }],
      [
        `${node}/maintenance`,
        'POST',
        { startsAt: '2030-01-01T00:00:00Z', endsAt: '2030-01-02T00:00:00Z', reason: 'x' },
      ],
      [chip, 'GET'],
      ['/api/v1/chips/chip-of-tom', 'GET'],
      [`${chip}/events`, 'GET'],
      [`${chip}/series?metrics=powerWatts`, 'GET'],
      [`${chip}/quarantine`, 'POST', { reason: 'x' }],
    ] as const) {
      const answer = await mei.ask(path, method, body)
      expect([answer.status, await codeOf(answer)], `${method} ${path}`).toEqual([
        404,
        path.startsWith('/api/v1/chips') ? 'fleet.chip.unknown' : 'fleet.node.unknown',
      ])
    }
    const { items } = page(auditEntry).parse(await (await asCentre('/api/v1/audit?action=node.cordon')).json())
    expect(items).toMatchObject([{ subject: tom.nodeId, outcome: 'failed', code: 'fleet.node.unknown' }])
  })

  it('sees no events of another’s chips', async () => {
    const events = async (ask: Ask) => JSON.stringify(await (await ask('/api/v1/fleet/events')).json())
    expect(await events(tom.ask)).toContain(tom.chipId)
    expect(await events(mei.ask)).not.toContain(tom.chipId)
    expect(await events(mei.ask)).toContain(centre.chipId)
  })

  it('changes its own nodes, but neither the centre’s nor what holds for all', async () => {
    expect((await mei.ask(`/api/v1/nodes/${mei.nodeId}/cordon`, 'POST', {})).status).toBe(200)
    expect((await mei.ask(`/api/v1/nodes/${mei.nodeId}/uncordon`, 'POST')).status).toBe(200)
    for (const [path, code] of [
      [`/api/v1/nodes/${centre.nodeId}/cordon`, 'server.node.not-yours'],
      [`/api/v1/chips/${centre.chipId}/quarantine`, 'server.node.not-yours'],
      ['/api/v1/alert-channels/x/test', 'server.centre.only'],
    ] as const) {
      const answer = await mei.ask(path, 'POST', path.includes('quarantine') ? { reason: 'x' } : {})
      expect([answer.status, await codeOf(answer)], path).toEqual([403, code])
    }
    expect(await codeOf(await mei.ask('/api/v1/alert-channels'))).toBe('server.centre.only')
  })

  it('does not read the supply of all over time, which is the centre’s', async () => {
    const refused = await mei.ask('/api/v1/capacity/history')
    expect([refused.status, await codeOf(refused)]).toEqual([403, 'server.centre.only'])
    expect((await asCentre('/api/v1/capacity/history')).status).toBe(200)
    expect((await mei.ask('/api/v1/capacity')).status).toBe(200)
  })

  it('revokes its own node and is told so by its own audit', async () => {
    const own = await join(await tokenOf(mei.ask, { dedicated: true }), 'mei-second')
    expect((await mei.ask(`/api/v1/nodes/${own}/revoke`, 'POST', { reason: 'sold' })).status).toBe(200)
    const read = async (ask: Ask) =>
      page(auditEntry).parse(await (await ask(`/api/v1/audit?action=node.revoke&subject=${own}`)).json()).items
    expect(await read(mei.ask)).toMatchObject([{ outcome: 'done', detail: { reason: 'sold' } }])
    expect(await read(tom.ask)).toEqual([])
    expect(await read(asCentre)).toHaveLength(1)
  })

  it('has tokens of its own, for nodes of its own only', async () => {
    const forAll = await mei.ask('/api/v1/join-tokens', 'POST', { dedicated: false })
    expect([forAll.status, await codeOf(forAll)]).toEqual([403, 'server.join-token.for-all'])
    const listed = async (ask: Ask) => page(joinToken).parse(await (await ask('/api/v1/join-tokens')).json()).items
    expect((await listed(mei.ask)).every(({ dedicated }) => dedicated)).toBe(true)
    const [token] = await listed(tom.ask)
    const stolen = await mei.ask(`/api/v1/join-tokens/${token?.id}`, 'DELETE')
    expect([stolen.status, await codeOf(stolen)]).toEqual([404, 'enrolment.token.unknown'])
  })

  it('cannot take over another’s node by joining under its name', async () => {
    const refused = await joining(await tokenOf(mei.ask, { dedicated: true }), 'tom')
    expect([refused.status, await codeOf(refused)]).toEqual([403, 'enrolment.node.foreign'])
    const centreNode = await joining(await tokenOf(mei.ask, { dedicated: true }), 'node-under-test')
    expect([centreNode.status, await codeOf(centreNode)]).toEqual([403, 'enrolment.node.foreign'])
  })

  it('reads the audit of its own doings only', async () => {
    const { items } = page(auditEntry).parse(await (await tom.ask('/api/v1/audit')).json())
    expect(items.length).toBeGreaterThan(0)
    expect(JSON.stringify(items)).not.toContain(mei.nodeId)
  })
})

describe('a developer', { timeout: 60_000 }, () => {
  it('looks at nodes, and may neither change them, nor read tokens and audit; each try is told', async () => {
    const { tenantId } = await test.server.factory.identity.bootstrap()
    const ask = await person(tenantId, 'dev', 'developer')
    expect((await ask('/api/v1/nodes')).status).toBe(200)
    for (const [path, method] of [
      ['/api/v1/join-tokens', 'GET'],
      ['/api/v1/audit', 'GET'],
      [`/api/v1/nodes/${centre.nodeId}/cordon`, 'POST'],
      ['/api/v1/vendors/cpu/sheets/x', 'PUT'],
    ] as const) {
      const answer = await ask(path, method, method === 'GET' ? undefined : {})
      expect([answer.status, await codeOf(answer)], path).toEqual([403, 'server.request.forbidden'])
    }
    const { items } = page(auditEntry).parse(await (await asCentre('/api/v1/audit?action=access.deny')).json())
    const told = items.map(({ detail }) => `${detail.method} ${detail.path}`)
    expect(told).toContain(`POST /api/v1/nodes/${centre.nodeId}/cordon`)
    expect(told).toContain('GET /api/v1/audit')
  })
})
