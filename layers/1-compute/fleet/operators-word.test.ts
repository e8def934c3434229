import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ALL, aChip, aReport, type FleetUnderTest, fleetUnderTest, OPERATOR } from './fixtures/fleet-under-test.ts'

const HOUR = 3_600_000

describe('what operators say of nodes', () => {
  let test: FleetUnderTest
  const busy = new Set<string>()

  beforeAll(async () => {
    test = await fleetUnderTest({ runsAnything: async (nodeId) => busy.has(nodeId) })
  })
  afterAll(() => test.close())

  const withChip = async (name: string) => {
    const node = await test.joined(name)
    await test.fleet.observe(node, aReport([aChip(`chip-${name}`)]), 0)
    return node
  }
  const usable = async (name: string) => (await test.fleet.chip(`chip-${name}`, ALL)).usable

  it('labels, taints and places a node, member by member', async () => {
    const node = await withChip('a')
    await test.fleet.describe(OPERATOR, node, {
      labels: { 'example.com/zone': 'z1' },
      place: { rack: 'A', spine: 's' },
    })
    const taints = [{ key: 'k', value: 'v', effect: 'no-schedule' }] as const
    expect(await test.fleet.describe(OPERATOR, node, { taints })).toMatchObject({
      labels: { 'example.com/zone': 'z1' },
      taints,
      place: { rack: 'A', spine: 's' },
    })
    const [chip] = await test.fleet.chips({ viewer: ALL, after: null, limit: 9, filter: { rack: 'A' } })
    expect(chip?.place).toEqual({ rack: 'A', spine: 's' })
    await expect(test.fleet.describe(OPERATOR, node, { labels: { '-a': '' } })).rejects.toMatchObject({
      code: 'fleet.labels.invalid',
      params: { key: '-a' },
      errors: [{ path: 'labels.-a' }],
    })
    await expect(test.fleet.describe(OPERATOR, node, { place: { rack: '', spine: null } })).rejects.toMatchObject({
      code: 'fleet.place.invalid',
    })
    await expect(test.fleet.describe(OPERATOR, 'node_none', {})).rejects.toMatchObject({ code: 'fleet.node.unknown' })
  })

  it('drains a node until nothing runs there, and keeps it closed until it is opened', async () => {
    const node = await withChip('b')
    busy.add(node)
    expect((await test.fleet.cordon(OPERATOR, node, { reason: 'fans', drain: false })).cordon?.state).toBe('cordoned')
    expect(await test.fleet.draining()).toEqual([])
    expect(await usable('b')).toBe(false)
    const { cordon } = await test.fleet.cordon(OPERATOR, node, { reason: 'fans', drain: true })
    expect(cordon).toMatchObject({ state: 'draining', by: 'operator', reason: 'fans' })
    await test.pass(1_000)
    expect((await test.fleet.node(node, ALL)).cordon?.state).toBe('draining')
    busy.delete(node)
    expect(await test.pass(1_000)).toBe(true)
    expect((await test.fleet.node(node, ALL)).cordon?.state).toBe('drained')
    expect(await test.fleet.draining()).toEqual([node])
    expect((await test.fleet.cordon(OPERATOR, node, { reason: '', drain: true })).cordon?.state).toBe('drained')
    expect((await test.fleet.uncordon(OPERATOR, node)).cordon).toBeNull()
    expect(await test.fleet.draining()).toEqual([])
    expect(await usable('b')).toBe(true)
  })

  it('keeps work away during a maintenance window, and tells when one begins and ends', async () => {
    const node = await withChip('c')
    await test.pass(0)
    const startsAt = new Date(test.nowMs() + HOUR)
    const plan = { startsAt, endsAt: new Date(test.nowMs() + 2 * HOUR), reason: 'firmware' }
    const window = await test.fleet.planMaintenance(OPERATOR, node, plan)
    expect(await test.fleet.maintenance(ALL, node)).toEqual([window])
    expect((await test.fleet.node(node, ALL)).maintenance).toBeNull()
    expect(await usable('c')).toBe(true)
    await test.pass(HOUR)
    await test.fleet.observe(node, aReport([aChip('chip-c')]), 0)
    expect((await test.fleet.node(node, ALL)).maintenance).toEqual(window)
    expect(await usable('c')).toBe(false)
    await test.fleet.cancelMaintenance(OPERATOR, window.id)
    expect(await usable('c')).toBe(true)
    expect(await test.pass(0)).toBe(true)
    expect(await test.pass(0)).toBe(false)
    await expect(test.fleet.cancelMaintenance(OPERATOR, window.id)).rejects.toMatchObject({
      code: 'fleet.maintenance.unknown',
    })
  })

  it('refuses a window that ends before it begins or lies in the past', async () => {
    const node = await withChip('d')
    const [past, soon] = [new Date(test.nowMs() - HOUR), new Date(test.nowMs() + HOUR)]
    for (const [startsAt, endsAt] of [
      [soon, past],
      [soon, soon],
      [new Date(past.getTime() - HOUR), past],
    ] as const)
      await expect(test.fleet.planMaintenance(OPERATOR, node, { startsAt, endsAt, reason: '' })).rejects.toMatchObject({
        code: 'fleet.maintenance.window',
      })
  })

  it('joins a node once per key, for one owner and as one kind', async () => {
    const node = { nodeKey: 'one', hostname: 'h', tenantId: 'tenant_a', simulated: false, agentVersion: '1' }
    const first = await test.fleet.enrol(node)
    expect(first.isNew).toBe(true)
    expect(await test.fleet.enrol(node)).toEqual({ nodeId: first.nodeId, isNew: false })
    await expect(test.fleet.enrol({ ...node, tenantId: null })).rejects.toMatchObject({ code: 'fleet.node.foreign' })
    await expect(test.fleet.enrol({ ...node, simulated: true })).rejects.toMatchObject({
      code: 'fleet.node.other-kind',
    })
    await test.fleet.revoked(first.nodeId)
    await expect(test.fleet.enrol(node)).rejects.toMatchObject({ code: 'fleet.node.revoked' })
  })
})
