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

  it('leaves a chip that was taken out for good out of everything but its history, until it is back', async () => {
    const node = await test.joined('retiring')
    const [stays, goes] = [aChip('chip-stays', { vendor: 'maker' }), aChip('chip-goes', { vendor: 'maker' })]
    await test.fleet.observe(node, aReport([stays, goes]), 0)
    const retire = () => test.fleet.retire(OPERATOR, 'chip-goes', 'sold')
    await expect(retire()).rejects.toMatchObject({ code: 'fleet.chip.present' })
    await expect(test.fleet.restore(OPERATOR, 'chip-goes', '')).rejects.toMatchObject({
      code: 'fleet.chip.not-retired',
    })
    await test.fleet.observe(node, aReport([stays]), 0)
    const seen = async () => {
      const listed = await test.fleet.chips({ viewer: ALL, after: null, limit: 9, filter: { nodeId: node } })
      return {
        chips: listed.map(({ facts }) => facts.uuid),
        cells: (await test.fleet.cells(ALL)).filter(({ nodeId }) => nodeId === node).map(({ uuid }) => uuid),
        cards: (await test.fleet.cards(node, ALL)).flatMap(({ chips }) => chips.map(({ facts }) => facts.uuid)),
        counted: (await test.fleet.node(node, ALL)).chipStates,
        summary: (await test.fleet.summary(ALL)).byVendor.find(({ vendor }) => vendor === 'maker')?.states,
      }
    }
    const whole = await seen()
    expect(whole.counted).toEqual({ healthy: 1, absent: 1 })
    expect((await retire()).retired).toMatchObject({
      by: 'operator',
      reason: { code: 'by-person', params: { reason: 'sold' } },
    })
    await retire()
    const only = ['chip-stays']
    const less = { chips: only, cells: only, cards: only, counted: { healthy: 1 }, summary: { healthy: 1 } }
    expect(await seen()).toEqual(less)
    await test.fleet.observe(node, aReport([stays], { bootId: 'another' }), 0)
    expect(await seen()).toEqual(less)
    const filter = { nodeId: node, retired: true }
    const gone = await test.fleet.chips({ viewer: ALL, after: null, limit: 9, filter })
    expect(gone.map(({ facts }) => facts.uuid)).toEqual(['chip-goes'])
    expect((await test.fleet.restore(OPERATOR, 'chip-goes', 'a mistake')).retired).toBeNull()
    expect(await seen()).toEqual(whole)
    await retire()
    await test.fleet.observe(node, aReport([stays, goes], { bootId: 'another' }), 0)
    expect(await test.fleet.chip('chip-goes', ALL)).toMatchObject({ retired: null, state: 'healthy', usable: true })
    expect((await seen()).counted).toEqual({ healthy: 2 })
    const events = await test.fleet.events({ viewer: ALL, chipId: 'chip-goes', after: null, limit: 9 })
    expect(events.map(({ kind }) => kind)).toEqual(['state', 'retired', 'restored', 'retired', 'state', 'found'])
  })

  it('takes what sits in the slot of a retired chip for another one', async () => {
    const node = await test.joined('reused')
    const slot = { pciAddress: '0000:01:00.0' }
    await test.fleet.observe(node, aReport([aChip('chip-sold', slot)]), 0)
    await test.fleet.observe(node, aReport([]), 0)
    await test.fleet.retire(OPERATOR, 'chip-sold', 'sold')
    await test.fleet.observe(node, aReport([aChip('test-pci-0000:01:00.0', { ...slot, health: 'unusable' })]), 0)
    expect((await test.fleet.chip('chip-sold', ALL)).retired).not.toBeNull()
    const chips = await test.fleet.chips({ viewer: ALL, after: null, limit: 9, filter: { nodeId: node } })
    expect(chips.map(({ facts }) => facts.uuid)).toEqual(['test-pci-0000:01:00.0'])
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
