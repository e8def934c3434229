import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from '@hono/zod-openapi'
import { createDrivers } from '@medley/drivers'
import { generateNodeKey } from '@medley/enrolment'
import { joinAnswer } from '@medley/enrolment/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  alert,
  alertChannel,
  alertRule,
  auditEntry,
  capacity,
  capacityPoint,
  card,
  chipEvent,
  createdJoinToken,
  fleetMap,
  fleetSummary,
  gap,
  joinToken,
  maintenanceWindow,
  metricDefinition,
  node,
  nodeTopology,
  series,
  vendor,
} from '../api/fleet-schemas.ts'
import { chip, page, problem, status } from '../api/schemas.ts'
import { CONSOLE, startTestFactory, type TestFactory } from './test-factory.ts'
import { agentReport, usage } from './test-samples.ts'

/** Any maker that promises something. */
const [maker] = createDrivers().filter(({ sheets }) => sheets.length > 0)
const [MAKER, PRODUCT] = [maker?.name ?? '', maker?.sheets[0]?.product ?? '']
const SHEET = `/api/v1/vendors/${MAKER}/sheets/${encodeURIComponent(PRODUCT)}`

let test: TestFactory
let nodeId: string
let chipId: string

beforeAll(async () => {
  test = await startTestFactory()
  const report = agentReport()
  const [first] = report.chips
  if (!first) throw new Error('no chip')
  const link = { kind: 'link', label: 'NV4', bytesPerSecond: 1e11 } as const
  nodeId = await test.report({
    ...report,
    chips: [
      { ...first, vendor: MAKER, product: PRODUCT, links: [{ ...link, to: 'chip-two' }] },
      { ...first, vendor: MAKER, product: PRODUCT, uuid: 'chip-two', index: 1, chipOnCard: 1 },
    ],
  })
  await test.server.factory.fleet.presence(nodeId, true)
  chipId = chip.parse(await read('/api/v1/chips/chip-under-test')).id
}, 120_000)
afterAll(() => test.close())

async function read(path: string): Promise<unknown> {
  const answer = await test.asOperator(path)
  expect(answer.status, path).toBe(200)
  return answer.json()
}
const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  test.asOperator(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
const list = async <Item extends z.ZodType>(item: Item, path: string) => page(item).parse(await read(path)).items
const audited = (action: string) => list(auditEntry, `/api/v1/audit?action=${action}`)
const codeOf = async (answer: Response) => problem.parse(await answer.json()).code

/** A node without hardware, with one chip. */
async function simulatedChip(): Promise<string> {
  const made = await send('POST', '/api/v1/join-tokens', { simulated: true })
  const { token } = createdJoinToken.parse(await made.json())
  const report = agentReport()
  const joined = await test.app.request('/agents/v1/join', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      nodeKey: 'sim',
      hostname: 'sim',
      publicKey: generateNodeKey().publicKey,
      agentVersion: '0',
      simulated: true,
    }),
  })
  const simulated = joinAnswer.parse(await joined.json()).nodeId
  const chips = report.chips.map((each) => ({ ...each, uuid: 'sim-chip', simulated: false }))
  await test.server.factory.orders.absorb(simulated, { ...report, nodeKey: 'sim', chips }, null)
  return 'sim-chip'
}

describe('nodes', { timeout: 60_000 }, () => {
  it('are listed, found by name, and shown with cards, links and gaps', async () => {
    expect(await list(node, '/api/v1/nodes?q=HOST')).toMatchObject([{ id: nodeId, chipCount: 2, state: 'connected' }])
    expect(await list(node, '/api/v1/nodes?q=nobody')).toEqual([])
    expect(node.parse(await read(`/api/v1/nodes/${nodeId}`)).tenantId).toBeNull()
    expect(await list(card, `/api/v1/nodes/${nodeId}/cards`)).toMatchObject([{ cardKey: 'c', chips: [{}, {}] }])
    const topology = nodeTopology.parse(await read(`/api/v1/nodes/${nodeId}/topology`))
    expect(topology.links).toEqual([
      { from: 'chip-two', to: 'chip-under-test', kind: 'link', label: 'NV4', bytesPerSecond: 1e11 },
    ])
    expect(await list(gap, `/api/v1/nodes/${nodeId}/gaps`)).toEqual(expect.any(Array))
  })

  it('get labels, taints and a place, which the audit tells with what was before', async () => {
    const place = { rack: 'r7', spine: null }
    const changed = await send('PATCH', `/api/v1/nodes/${nodeId}`, { place, labels: { zone: 'b' } })
    expect(node.parse(await changed.json())).toMatchObject({ place, labels: { zone: 'b' } })
    expect(await list(chip, '/api/v1/chips?rack=r7')).toHaveLength(2)
    const [entry] = await audited('node.describe')
    expect(entry).toMatchObject({
      subject: nodeId,
      outcome: 'done',
      actor: { kind: 'user' },
      detail: { before: { place: { rack: null } }, after: { place } },
    })
  })

  it('are cordoned and opened again; a repeated key changes nothing twice', async () => {
    const twice = { 'idempotency-key': 'cordon-1' }
    const path = `/api/v1/nodes/${nodeId}/cordon`
    const before = (await audited('node.cordon')).length
    const answers = [
      await send('POST', path, { reason: 'fan' }, twice),
      await send('POST', path, { reason: 'fan' }, twice),
    ]
    for (const answer of answers) expect(node.parse(await answer.json()).cordon).toMatchObject({ reason: 'fan' })
    expect(await audited('node.cordon')).toHaveLength(before + 1)
    expect((await list(chip, '/api/v1/chips')).map(({ usable }) => usable)).toEqual([false, false])
    const opened = await send('POST', `/api/v1/nodes/${nodeId}/uncordon`)
    expect(node.parse(await opened.json()).cordon?.state ?? 'open').toBe('open')
    expect((await list(chip, '/api/v1/chips')).map(({ usable }) => usable)).toEqual([true, true])
  })

  it('want nothing any more while they are drained', async () => {
    const { factory } = test.server
    const { tenantId, projectId } = await factory.identity.bootstrap()
    const scope = { kind: 'tenant', tenantId, projectId, actor: { kind: 'user', id: 'user_test' } } as const
    const { id } = await factory.operations.of(scope).begin('proving', `${nodeId} chip`, {})
    const asked = { appliedRevision: -1, waitMs: 0 }
    const wanted = async () => (await factory.orders.answer(nodeId, asked, new AbortController().signal)).workloads
    factory.live.touch('proving')
    expect(await wanted()).toHaveLength(1)
    await send('POST', `/api/v1/nodes/${nodeId}/cordon`, { drain: true })
    expect(await wanted()).toEqual([])
    await send('POST', `/api/v1/nodes/${nodeId}/uncordon`)
    expect(await wanted()).toHaveLength(1)
    await factory.operations.all.finish(id, null)
    factory.live.touch('proving')
  })

  it('have maintenance windows, planned and taken back', async () => {
    const path = `/api/v1/nodes/${nodeId}/maintenance`
    const [startsAt, endsAt] = [new Date(Date.now() + 3_600_000), new Date(Date.now() + 7_200_000)]
    const planned = await send('POST', path, { startsAt, endsAt, reason: 'new fan' })
    const { id } = maintenanceWindow.parse(await planned.json())
    expect(await list(maintenanceWindow, `/api/v1/maintenance?node=${nodeId}`)).toMatchObject([{ id }])
    const backwards = await send('POST', path, { startsAt: endsAt, endsAt: startsAt, reason: 'x' })
    expect(await codeOf(backwards)).toBe('fleet.maintenance.window')
    const once = { 'idempotency-key': 'cancel-1' }
    for (const replayed of [null, 'true']) {
      const cancelled = await send('DELETE', `/api/v1/maintenance/${id}`, undefined, once)
      expect([cancelled.status, cancelled.headers.get('idempotency-replayed')]).toEqual([204, replayed])
    }
    expect(await list(maintenanceWindow, '/api/v1/maintenance')).toEqual([])
    expect((await audited('maintenance.plan')).map(({ outcome }) => outcome).toSorted()).toEqual(['done', 'failed'])
  })
})

describe('chips', { timeout: 60_000 }, () => {
  it('are paged and filtered', async () => {
    const first = page(chip).parse(await read('/api/v1/chips?limit=1'))
    expect([first.items.length, first.nextCursor]).toEqual([1, first.items[0]?.id])
    const second = page(chip).parse(await read(`/api/v1/chips?limit=1&cursor=${first.nextCursor}`))
    expect(second).toMatchObject({ items: [{}], nextCursor: null })
    for (const [query, found] of Object.entries({
      [`vendor=${MAKER}`]: 2,
      'vendor=cpu': 0,
      'state=healthy': 2,
      'state=lost': 0,
      [`node=${nodeId}`]: 2,
      'simulated=false': 2,
      'q=CHIP-TWO': 1,
    })) {
      expect(await list(chip, `/api/v1/chips?${query}`), query).toHaveLength(found)
    }
    expect((await test.asOperator('/api/v1/chips?state=odd')).status).toBe(400)
  })

  it('have a history and readings, with the metrics of one catalogue', async () => {
    expect(await list(chipEvent, `/api/v1/chips/${chipId}/events`)).toContainEqual(
      expect.objectContaining({ kind: 'found', chipId }),
    )
    expect(await list(chipEvent, `/api/v1/fleet/events?node=${nodeId}`)).not.toEqual([])
    expect((await list(metricDefinition, '/api/v1/metrics')).map(({ name }) => name)).toContain('powerWatts')
    const { items } = z
      .object({ items: z.array(series) })
      .parse(await read(`/api/v1/chips/${chipId}/series?metrics=powerWatts,temperatureCelsius`))
    expect(items.map(({ metric, unit }) => [metric, unit])).toEqual([
      ['powerWatts', 'watts'],
      ['temperatureCelsius', 'celsius'],
    ])
    const unknown = await test.asOperator(`/api/v1/chips/${chipId}/series?metrics=charm`)
    expect(await codeOf(unknown)).toBe('monitoring.metric.unknown')
  })

  it('are put into quarantine and released, each with a reason', async () => {
    const put = await send('POST', `/api/v1/chips/${chipId}/quarantine`, { reason: 'burnt smell' })
    expect(chip.parse(await put.json())).toMatchObject({ quarantine: {}, usable: false })
    const released = await send('POST', `/api/v1/chips/${chipId}/release`, { reason: 'was the toaster' })
    expect(chip.parse(await released.json())).toMatchObject({ quarantine: null, usable: true })
    const again = await send('POST', `/api/v1/chips/${chipId}/release`, { reason: 'once more' })
    expect(await codeOf(again)).toBe('fleet.chip.not-quarantined')
    expect((await audited('chip.release')).map(({ outcome }) => outcome).toSorted()).toEqual(['done', 'failed'])
  })

  it('are retired only once they are gone, which is told in the audit', async () => {
    const refused = await send('POST', `/api/v1/chips/${chipId}/retire`, { reason: 'sold' })
    expect([refused.status, await codeOf(refused)]).toEqual([409, 'fleet.chip.present'])
    expect(await codeOf(await send('POST', `/api/v1/chips/${chipId}/retire`, {}))).toBe('server.request.invalid')
    const restored = await send('POST', `/api/v1/chips/${chipId}/restore`, { reason: 'never was' })
    expect(await codeOf(restored)).toBe('fleet.chip.not-retired')
    expect(await list(chip, '/api/v1/chips?retired=true')).toEqual([])
    const report = agentReport()
    const absorb = (chips: typeof report.chips) => test.server.factory.orders.absorb(nodeId, { ...report, chips }, null)
    const held = (await list(chip, `/api/v1/chips?node=${nodeId}`)).map(({ facts }) => facts)
    await absorb(held.filter(({ uuid }) => uuid !== 'chip-two'))
    const sold = await send('POST', '/api/v1/chips/chip-two/retire', { reason: 'sold' })
    expect(chip.parse(await sold.json())).toMatchObject({ state: 'absent', retired: { reason: { code: 'by-person' } } })
    expect(await list(chip, '/api/v1/chips?retired=true')).toMatchObject([{ facts: { uuid: 'chip-two' } }])
    expect(node.parse(await read(`/api/v1/nodes/${nodeId}`)).chipStates).toEqual({ healthy: 1 })
    await absorb(held)
    expect(node.parse(await read(`/api/v1/nodes/${nodeId}`)).chipStates).toEqual({ healthy: 2 })
    const told = (await audited('chip.retire')).map(({ outcome, code }) => [outcome, code])
    expect(told.toSorted()).toEqual([
      ['done', null],
      ['failed', 'fleet.chip.present'],
    ])
  })
})

describe('the fleet', { timeout: 60_000 }, () => {
  it('is counted, mapped and exposed', async () => {
    const counted = fleetSummary.parse(await read('/api/v1/fleet/summary'))
    expect(counted.byVendor).toContainEqual({ vendor: MAKER, simulated: false, states: { healthy: 2 } })
    const { cells } = fleetMap.parse(await read('/api/v1/fleet/map'))
    expect(cells.find((cell) => cell.chipId === chipId)).toMatchObject({ nodeId, nodeName: 'host', vendor: MAKER })
    const packed = await test.asOperator('/api/v1/fleet/map', { headers: { 'accept-encoding': 'gzip' } })
    expect(packed.headers.get('content-encoding')).toBe('gzip')
    const metrics = await test.app.request('/metrics')
    const text = await metrics.text()
    expect(text).toContain('process_cpu_user_seconds_total')
    expect(text).not.toContain('undefined')
  })

  it('has vendors whose sheets an operator may replace', async () => {
    const names = (await list(vendor, '/api/v1/vendors')).map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining([MAKER, 'cpu']))
    const sheet = { peaks: [{ dtype: 'fp16', teraops: 1_000 }], source: 'the maker’s sheet of 2026-11' }
    const put = await send('PUT', SHEET, sheet)
    expect([put.status, await put.json()]).toMatchObject([
      200,
      { product: PRODUCT, overridden: true, confidence: 'high' },
    ])
    const supply = capacity.parse(await read('/api/v1/capacity?dtype=fp16'))
    expect(supply.headline).toMatchObject({ dtype: 'fp16', nominal: 2, effective: null, sparse: false })
    await test.server.factory.capacity.snapshot()
    expect(await list(capacityPoint, '/api/v1/capacity/history?dtype=fp16')).toMatchObject([{ nominal: 2 }])
    expect((await send('DELETE', SHEET)).status).toBe(204)
    expect(await codeOf(await send('DELETE', SHEET))).toBe('supply.sheet.unknown')
    expect(await codeOf(await test.asOperator('/api/v1/vendors/nobody'))).toBe('server.vendor.unknown')
    expect(vendor.parse(await read(`/api/v1/vendors/${MAKER}`)).sheets.some(({ overridden }) => overridden)).toBe(false)
  })

  it('keeps simulated chips apart: never measured, never billed', async () => {
    const uuid = await simulatedChip()
    const shown = await list(chip, '/api/v1/chips?simulated=true')
    expect(shown).toMatchObject([{ simulated: true, facts: { uuid, simulated: true } }])
    const told = status.parse(await read('/api/v1/status'))
    expect(told.simulated).toEqual({ chips: 1, nodes: 1 })
    expect(told.chips.map((each) => each.simulated)).toEqual([false, false, true])
    const proving = await send('POST', '/api/v1/proving/runs', { chipId: shown[0]?.id })
    expect([proving.status, await codeOf(proving)]).toEqual([409, 'server.chip.simulated'])
    const { tenantId, projectId } = await test.server.factory.identity.bootstrap()
    const record = { ...usage(tenantId, projectId), chipUuids: [uuid] }
    for (const simulated of [1, 0]) {
      const answer = await test.asProcess('/internal/usage', { records: [record] })
      expect(await answer.json()).toEqual({ accepted: 0, duplicate: 0, rejected: 1, simulated })
    }
    expect(await audited('usage.record')).toMatchObject([
      { outcome: 'denied', code: 'supply.record.simulated', detail: { chipUuid: uuid } },
    ])
    const supply = capacity.parse(await read('/api/v1/capacity'))
    expect(supply.byState.reduce((sum, { chips }) => sum + chips, 0)).toBe(2)
    expect(supply.byVendor.filter(({ simulated }) => simulated)).toMatchObject([{ vendor: 'cpu', chips: 1 }])
  })
})

describe('join tokens', { timeout: 60_000 }, () => {
  it('are made, listed without themselves, and revoked', async () => {
    const made = await send('POST', '/api/v1/join-tokens', { note: 'rack 9', uses: 8, ttlSeconds: 600 })
    const { token, command, id } = createdJoinToken.parse(await made.json())
    expect(command).toBe(`MEDLEY_JOIN_TOKEN=${token} medley agent join http://127.0.0.1:7070`)
    const [listed] = await list(joinToken, '/api/v1/join-tokens')
    expect(listed).toMatchObject({ id, note: 'rack 9', usesLeft: 8, revokedAt: null })
    expect(JSON.stringify(listed)).not.toContain(token)
    expect((await send('DELETE', `/api/v1/join-tokens/${id}`)).status).toBe(204)
    expect((await list(joinToken, '/api/v1/join-tokens'))[0]?.revokedAt).not.toBeNull()
    const actions = (await list(auditEntry, `/api/v1/audit?subject=${id}`)).map(({ action }) => action)
    expect(actions).toEqual(['join-token.revoke', 'join-token.create'])
  })
})

describe('alerts', { timeout: 60_000 }, () => {
  it('have rules; ours may be turned off and not removed', async () => {
    const rules = await list(alertRule, '/api/v1/alert-rules')
    const [ours] = rules.filter(({ builtIn }) => builtIn)
    expect(ours).toBeDefined()
    const off = await send('PATCH', `/api/v1/alert-rules/${ours?.id}`, { enabled: false })
    expect(alertRule.parse(await off.json()).enabled).toBe(false)
    expect(await codeOf(await send('DELETE', `/api/v1/alert-rules/${ours?.id}`))).toBe('alerting.rule.built-in')
    const made = await send('POST', '/api/v1/alert-rules', {
      name: 'quarantined',
      enabled: true,
      severity: 'warning',
      condition: { kind: 'quarantine' },
      forSeconds: 0,
      vendors: [],
      includeSimulated: false,
      channelIds: [],
    })
    const own = alertRule.parse(await made.json())
    expect(own.builtIn).toBe(false)
    const [entry] = await audited('alert-rule.change')
    expect(entry?.detail).toMatchObject({ before: { enabled: true }, after: { enabled: false } })
  })

  it('fire, are acknowledged, and are over when their cause is', async () => {
    await send('POST', `/api/v1/chips/${chipId}/quarantine`, { reason: 'noise' })
    const firing = async () =>
      (await list(alert, '/api/v1/alerts?state=firing')).filter((each) => each.chipId === chipId)
    for (let tries = 0; tries < 150 && (await firing()).length === 0; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const [found] = await firing()
    const seen = await send('POST', `/api/v1/alerts/${found?.id}/acknowledge`, { note: 'on my way' })
    expect(alert.parse(await seen.json()).acknowledged).toMatchObject({ note: 'on my way' })
    await send('POST', `/api/v1/chips/${chipId}/release`, { reason: 'quiet again' })
    for (let tries = 0; tries < 150 && (await firing()).length > 0; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(await firing()).toEqual([])
    const rules = await list(alertRule, '/api/v1/alert-rules')
    const own = rules.find(({ builtIn }) => !builtIn)
    expect((await send('DELETE', `/api/v1/alert-rules/${own?.id}`)).status).toBe(204)
  })

  it('go to channels whose address is shown to nobody', async () => {
    let received = ''
    const far = createServer((request, response) => {
      request.setEncoding('utf8')
      request.on('data', (text: string) => {
        received += text
      })
      request.on('end', () => response.end('{}'))
    })
    await new Promise<void>((resolve) => far.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(far.address() as AddressInfo).port}/hook/very-secret-path`
    const made = await send('POST', '/api/v1/alert-channels', { name: 'ops', kind: 'webhook', url, secret: 's3cret' })
    const channel = alertChannel.parse(await made.json())
    const listed = await list(alertChannel, '/api/v1/alert-channels')
    const told = JSON.stringify([channel, listed, await audited('alert-channel.create')])
    expect(told).not.toContain('very-secret')
    expect(told).not.toContain('s3cret')
    const sent = await send('POST', `/api/v1/alert-channels/${channel.id}/test`)
    expect(await sent.json()).toEqual({ ok: true, error: null })
    expect(received).not.toBe('')
    expect((await send('DELETE', `/api/v1/alert-channels/${channel.id}`)).status).toBe(204)
    await new Promise((resolve) => far.close(resolve))
  })
})

describe('the audit', { timeout: 60_000 }, () => {
  it('tells of each denial, strangers’ counted and not repeated', async () => {
    for (let tries = 0; tries < 5; tries += 1) await test.app.request('/api/v1/nodes')
    const strangers = (await audited('access.deny')).filter(({ actor }) => actor.kind === 'anonymous')
    expect(strangers).toMatchObject([{ outcome: 'denied', code: 'server.request.unauthenticated' }])
  })

  it('tells of sign-ins, the ones that worked and the ones that did not', async () => {
    const { userId } = await test.server.factory.identity.bootstrap()
    await test.signIn(userId)
    expect(await audited('auth.one-time-link-verify')).toMatchObject([{ outcome: 'done' }])
    const refused = await test.app.request('/api/auth/sign-in/email', {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: CONSOLE },
      body: JSON.stringify({ email: 'nobody@example.test', password: 'wrong-password' }),
    })
    expect(refused.status).toBe(401)
    const denied = (await audited('access.deny')).find(({ code }) => code === 'server.sign-in.refused')
    expect(denied).toMatchObject({ detail: { path: '/api/auth/sign-in/email' } })
    expect(JSON.stringify(denied)).not.toContain('wrong-password')
  })

  it('is paged and filtered, newest first', async () => {
    const first = page(auditEntry).parse(await read('/api/v1/audit?limit=2'))
    const second = page(auditEntry).parse(await read(`/api/v1/audit?limit=2&cursor=${first.nextCursor}`))
    const times = [...first.items, ...second.items].map(({ at }) => at)
    expect(times).toEqual(times.toSorted().toReversed())
    expect(new Set([...first.items, ...second.items].map(({ id }) => id)).size).toBe(4)
    const denied = await list(auditEntry, '/api/v1/audit?outcome=denied')
    expect(new Set(denied.map(({ outcome }) => outcome))).toEqual(new Set(['denied']))
  })
})
