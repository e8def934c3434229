import { randomBytes } from 'node:crypto'
import { createIdFactory, systemScope } from '@medley/kernel'
import { CHIP_METRICS } from '@medley/monitoring/protocol'
import { startTestStore, type TestStore } from '@medley/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type Alerting,
  alertingMigrations,
  type ChipObservation,
  createAlerting,
  type NewAlertRule,
  type NodeObservation,
} from './index.ts'

let test: TestStore
let alerting: Alerting
let nowMs = Date.UTC(2026, 10, 23)
const clock = { now: () => nowMs }
const ids = createIdFactory(clock, (size) => new Uint8Array(randomBytes(size)))
const secret = new Uint8Array(32).fill(7)
const open = () => createAlerting({ store: test.store, ids, clock, secret })
const all = { viewer: { all: true } } as const
const operator = { ...systemScope('x'), actor: { kind: 'user', id: 'user_op' } } as const

beforeAll(async () => {
  test = await startTestStore(alertingMigrations)
}, 120_000)
afterAll(() => test?.close())
beforeEach(async () => {
  await test.store
    .tables<{ alerts: object; alert_standings: object; alert_trails: object; alert_rules: object }>()
    .run(systemScope('test'), async (tx) => {
      for (const table of ['alerts', 'alert_standings', 'alert_trails', 'alert_rules'] as const) {
        await tx.deleteFrom(table).execute()
      }
    })
  nowMs += 86_400_000
  alerting = await open()
})

const reading = (metric: string, value: number) => CHIP_METRICS.map(({ name }) => (name === metric ? value : null))

function chip(fields: Partial<ChipObservation> = {}): ChipObservation {
  const facts = { name: 'n1 X 0', vendor: 'cpu', product: 'X', driverVersion: '1', simulated: false, evidence: [] }
  const read = { values: null, readAtMs: nowMs, state: 'healthy', quarantine: null } as const
  return { chipId: 'chip_a', nodeId: 'node_a', ...facts, ...read, ...fields }
}
function node(fields: Partial<NodeObservation> = {}): NodeObservation {
  const centre = { tenantId: null, simulated: false, maintenance: false, state: 'connected' } as const
  return { nodeId: 'node_a', name: 'n1', ...centre, ...fields }
}
const own: NewAlertRule = {
  name: 'busy',
  enabled: true,
  severity: 'info',
  condition: { kind: 'metric', metric: 'utilizationRatio', comparison: 'above', threshold: 0.5 },
  forSeconds: 0,
  vendors: [],
  includeSimulated: false,
  channelIds: [],
}
const see = (chips: ChipObservation[], nodes = [node()]) => alerting.evaluate({ complete: true, nodes, chips })
const code = (expected: string) => expect.objectContaining({ code: expected })

describe('rules', () => {
  it('of ours are there once, in both languages, and stay as the operator left them', async () => {
    const before = await alerting.rules()
    expect(before).toHaveLength(6)
    for (const { name, builtIn } of before) expect([builtIn, name.en !== name['zh-CN']]).toEqual([true, true])
    const heat = before.find(({ name }) => name.en === 'Chip too hot')
    if (heat?.condition.kind !== 'metric') throw new Error('no rule for heat')
    const condition = { ...heat.condition, threshold: 92 }
    const changed = await alerting.changeRule(heat.id, { enabled: false, forSeconds: 5, condition, name: heat.name })
    const again = await (await open()).rules()
    expect(again).toHaveLength(6)
    expect(again).toContainEqual(changed)
    expect(changed).toMatchObject({ enabled: false, forSeconds: 5, condition: { threshold: 92 } })
  })
  it('of ours keep their meaning and cannot be deleted', async () => {
    const [first] = await alerting.rules()
    const id = first?.id ?? ''
    await expect(alerting.deleteRule(id)).rejects.toEqual(code('alerting.rule.built-in'))
    const other = { kind: 'chip-state', states: ['healthy'] } as const
    for (const change of [{ name: 'x' }, { severity: 'info' as const }, { vendors: ['v'] }, { condition: other }]) {
      await expect(alerting.changeRule(id, change)).rejects.toEqual(code('alerting.rule.built-in'))
    }
  })
  it('of the operator are made, changed and deleted', async () => {
    const rule = await alerting.createRule(own)
    expect(rule).toMatchObject({ builtIn: false, name: { en: 'busy', 'zh-CN': 'busy' } })
    const changed = await alerting.changeRule(rule.id, { name: { en: 'a', 'zh-CN': '甲' }, severity: 'critical' })
    expect(changed).toEqual({ ...rule, name: { en: 'a', 'zh-CN': '甲' }, severity: 'critical' })
    await alerting.deleteRule(rule.id)
    await expect(alerting.changeRule(rule.id, {})).rejects.toEqual(code('alerting.rule.unknown'))
  })
  it.each<[string, Partial<NewAlertRule>]>([
    ['condition.metric', { condition: { kind: 'metric', metric: 'x', comparison: 'above', threshold: 1 } }],
    ['condition.threshold', { condition: { ...own.condition, threshold: Number.NaN } as NewAlertRule['condition'] }],
    ['condition.states', { condition: { kind: 'chip-state', states: [] } }],
    ['forSeconds', { forSeconds: 1.5 }],
    ['channelIds', { channelIds: ['channel_none'] }],
    ['name.en', { name: ' ' }],
  ])('with a bad %s are refused by name', async (path, fields) => {
    const refused = alerting.createRule({ ...own, ...fields })
    await expect(refused).rejects.toMatchObject({
      code: 'alerting.rule.invalid',
      errors: expect.arrayContaining([expect.objectContaining({ path })]),
    })
  })
})

describe('alerts', () => {
  const busy = (value: number, fields: Partial<ChipObservation> = {}) =>
    chip({ values: reading('utilizationRatio', value), ...fields })

  it('begin, are acknowledged and end, across restarts', async () => {
    await alerting.createRule(own)
    expect(await see([busy(0.9)])).toEqual({ fired: 1, resolved: 0 })
    alerting = await open()
    nowMs += 15_000
    expect(await see([busy(0.8)])).toEqual({ fired: 0, resolved: 0 })
    const { items } = await alerting.alerts({ ...all, state: 'firing' })
    expect(items).toMatchObject([
      {
        ruleName: { en: 'busy' },
        subject: 'n1 X 0',
        value: 0.9,
        evidence: [{ code: 'alerting.metric.above', params: { metric: 'utilizationRatio', threshold: '0.5' } }],
        acknowledged: null,
        resolvedAt: null,
        deliveries: [],
      },
    ])
    const seen = await alerting.acknowledge(operator, items[0]?.id ?? '', 'on it', all.viewer)
    expect(seen.acknowledged).toEqual({ at: new Date(nowMs), by: 'user_op', note: 'on it' })
    nowMs += 15_000
    expect(await see([busy(0.1)])).toEqual({ fired: 0, resolved: 0 })
    alerting = await open()
    nowMs += 15_000
    expect(await see([busy(0.1)])).toEqual({ fired: 0, resolved: 1 })
    expect(await alerting.alert(seen.id, all.viewer)).toMatchObject({
      state: 'resolved',
      resolvedAt: new Date(nowMs),
      acknowledged: { note: 'on it' },
    })
  })
  it('begin also where the store was away when the change was named', async () => {
    await alerting.createRule({ ...own, condition: { kind: 'chip-state', states: ['lost'] }, name: 'lost' })
    await see([chip()])
    await test.store.pool.query('alter table alert_rules rename to hidden')
    const lost = { complete: false, nodes: [], chips: [chip({ state: 'lost' })] }
    await expect(alerting.evaluate(lost)).rejects.toThrow('alert_rules')
    await test.store.pool.query('alter table hidden rename to alert_rules')
    expect(await alerting.evaluate({ complete: false, nodes: [], chips: [] })).toEqual({ fired: 1, resolved: 0 })
  })
  it('of a deleted rule end', async () => {
    const rule = await alerting.createRule(own)
    await see([busy(0.9)])
    await alerting.deleteRule(rule.id)
    expect(await see([busy(0.9)])).toEqual({ fired: 0, resolved: 1 })
  })
  it('are opened once, also by two processes at once', async () => {
    await alerting.createRule(own)
    const other = await open()
    const observation = { complete: true, nodes: [node()], chips: [busy(0.9)] }
    const counts = await Promise.all([alerting.evaluate(observation), other.evaluate(observation)])
    expect(counts.map(({ fired }) => fired).sort()).toEqual([0, 1])
    expect((await alerting.alerts(all)).items).toHaveLength(1)
  })
  it('remember a counter over a restart', async () => {
    const errors = (value: number) => [chip({ values: reading('eccErrorsUncorrected', value) })]
    await see(errors(3))
    alerting = await open()
    nowMs += 15_000
    expect(await see(errors(4))).toMatchObject({ fired: 1 })
  })
  it('are paged newest first, each seen once', async () => {
    await alerting.createRule(own)
    for (const round of [0, 1]) {
      nowMs += 1_000
      const named = (index: number) => busy(0.9, { chipId: `chip_${round}_${index}` })
      await alerting.evaluate({
        complete: round === 0,
        nodes: [node()],
        chips: Array.from({ length: 5 }, (_, index) => named(index)),
      })
    }
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<Alerting['alerts']>> = await alerting.alerts({ ...all, cursor, limit: 3 })
      seen.push(...page.items.map(({ chipId }) => chipId ?? ''))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(new Set(seen).size).toBe(10)
    expect(seen.slice(0, 5).every((id) => id.startsWith('chip_1_'))).toBe(true)
    await expect(alerting.alerts({ ...all, cursor: 'x' })).rejects.toEqual(code('alerting.cursor.invalid'))
  })
  it('of a tenant’s own node are for that tenant and the operator only', async () => {
    await alerting.createRule(own)
    await see([busy(0.9)], [node({ tenantId: 'tenant_a' })])
    const count = async (viewer: Parameters<Alerting['alerts']>[0]['viewer']) =>
      (await alerting.alerts({ viewer })).items.length
    expect(await count({ all: true })).toBe(1)
    expect(await count({ all: false, tenantId: 'tenant_a' })).toBe(1)
    expect(await count({ all: false, tenantId: 'tenant_b' })).toBe(0)
    const [alert] = (await alerting.alerts(all)).items
    const stranger = { all: false, tenantId: 'tenant_b' } as const
    const read = alerting.acknowledge(operator, alert?.id ?? '', 'x', stranger)
    await expect(read).rejects.toEqual(code('alerting.alert.unknown'))
  })
  it('with characters that cannot be stored are stored without them', async () => {
    await alerting.createRule(own)
    await see([busy(0.9, { name: 'a\u0000b' })])
    expect((await alerting.alerts(all)).items).toMatchObject([{ subject: 'ab' }])
  })
  it('that ended long ago are dropped', async () => {
    await alerting.createRule(own)
    await see([busy(0.9)])
    nowMs += 1_000
    await see([])
    expect(await alerting.retain(new Date(nowMs))).toBe(0)
    expect(await alerting.retain(new Date(nowMs + 1))).toBe(1)
  })
  it('that ended are no more than are kept, the newest, and none that is still to be told', async () => {
    const name = 'duty'
    const robot = { name, kind: 'webhook', url: 'http://127.0.0.1:9/x', locale: 'en', enabled: true } as const
    const channel = await alerting.createChannel(robot)
    const rule = await alerting.createRule({ ...own, channelIds: [channel.id] })
    alerting = await createAlerting({ store: test.store, ids, clock, secret, mostResolved: 3 })
    for (const round of Array.from({ length: 7 }, (_, index) => index)) {
      if (round === 1) await alerting.changeRule(rule.id, { channelIds: [] })
      nowMs += 1_000
      await see([busy(0.9, { name: `round ${round}` })])
      nowMs += 1_000
      await see([busy(0.1)])
      await see([busy(0.1)])
    }
    expect(await alerting.retain(new Date(0))).toBe(3)
    const kept = (await alerting.alerts(all)).items.map(({ subject }) => subject)
    expect(kept).toEqual(['round 6', 'round 5', 'round 4', 'round 0'])
    await alerting.deleteChannel(channel.id)
    expect(await alerting.retain(new Date(0))).toBe(1)
    expect(await alerting.retain(new Date(0))).toBe(0)
  })
})
