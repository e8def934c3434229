import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ALL, aChip, aReport, type FleetUnderTest, fleetUnderTest } from './fixtures/fleet-under-test.ts'
import type { FleetFilter } from './views.ts'

const A = { all: false, tenantId: 'tenant_a' } as const
const B = { all: false, tenantId: 'tenant_b' } as const

describe('lists of the fleet', () => {
  let test: FleetUnderTest
  let [centre, own, simulated] = ['', '', '']

  beforeAll(async () => {
    test = await fleetUnderTest()
    centre = await test.joined('centre')
    own = await test.joined('own', { tenantId: 'tenant_a' })
    simulated = await test.joined('sim', { simulated: true })
    const card = { cardKey: 'card-1', serial: 'SN-100%' }
    await test.fleet.observe(
      centre,
      aReport([
        aChip('c2', { ...card, chipOnCard: 1, powerWatts: null }),
        aChip('c1', { ...card, chipOnCard: 0, powerWatts: 50, cardPowerWatts: 120 }),
        aChip('c3', { vendor: 'other', product: 'Second product', health: 'lost', powerWatts: 5 }),
      ]),
      0,
    )
    await test.fleet.observe(own, aReport([aChip('o1', { powerWatts: 7 })]), 0)
    await test.fleet.observe(simulated, aReport([aChip('s1'), aChip('s2')]), 0)
  })
  afterAll(() => test.close())

  const uuids = async (filter: FleetFilter) =>
    (await test.fleet.chips({ viewer: ALL, after: null, limit: 100, filter })).map(({ facts }) => facts.uuid).sort()

  it('are filtered by every member of the filter, together and apart', async () => {
    expect(await uuids({ vendor: 'other' })).toEqual(['c3'])
    expect(await uuids({ state: 'lost' })).toEqual(['c3'])
    expect(await uuids({ nodeId: own })).toEqual(['o1'])
    expect(await uuids({ simulated: true })).toEqual(['s1', 's2'])
    expect(await uuids({ text: 'SECOND' })).toEqual(['c3'])
    expect(await uuids({ text: 'sn-100%' })).toEqual(['c1', 'c2'])
    expect(await uuids({ text: '%' })).toEqual(['c1', 'c2'])
    expect(await uuids({ text: '_' })).toEqual([])
    expect(await uuids({ vendor: 'test', state: 'healthy', simulated: false })).toEqual(['c1', 'c2', 'o1'])
  })

  it('are paged without a gap or a repetition', async () => {
    const seen: string[] = []
    let after: string | null = null
    for (let page = 0; page < 10; page += 1) {
      const chips = await test.fleet.chips({ viewer: ALL, after, limit: 2 })
      seen.push(...chips.map(({ id }) => id))
      after = chips.at(-1)?.id ?? after
    }
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen).toHaveLength(6)
    expect(seen).toEqual(seen.toSorted())
  })

  it('show a tenant the centre’s nodes and its own, and nothing of others', async () => {
    const nodesOf = async (viewer: typeof A | typeof B) =>
      (await test.fleet.nodes({ viewer, after: null, limit: 9 })).map(({ id }) => id).sort()
    expect(await nodesOf(A)).toEqual([centre, own, simulated].sort())
    expect(await nodesOf(B)).toEqual([centre, simulated].sort())
    await expect(test.fleet.node(own, B)).rejects.toMatchObject({ code: 'fleet.node.unknown' })
    await expect(test.fleet.chip('o1', B)).rejects.toMatchObject({ code: 'fleet.chip.unknown' })
    await expect(test.fleet.cards(own, B)).rejects.toMatchObject({ code: 'fleet.node.unknown' })
    expect((await test.fleet.cells(B)).map(({ uuid }) => uuid)).not.toContain('o1')
    expect((await test.fleet.events({ viewer: B, after: null, limit: 99 })).map(({ nodeId }) => nodeId)).not.toContain(
      own,
    )
    expect((await test.fleet.summary(B)).chips).toBe(5)
  })

  it('find nodes by a part of their name', async () => {
    await test.fleet.observe(simulated, { ...aReport([aChip('s1'), aChip('s2')]), bootId: 'two' }, 0)
    const found = await test.fleet.nodes({ viewer: ALL, after: null, limit: 9, text: 'HOS' })
    expect(found).toHaveLength(3)
    expect(found.find(({ id }) => id === centre)).toMatchObject({ chipCount: 3, chipStates: { healthy: 2, lost: 1 } })
  })

  it('sum up the fleet by vendor and state, simulated apart', async () => {
    expect(await test.fleet.summary(ALL)).toEqual({
      nodes: 3,
      chips: 6,
      byVendor: [
        { vendor: 'other', simulated: false, states: { lost: 1 } },
        { vendor: 'test', simulated: false, states: { healthy: 3 } },
        { vendor: 'test', simulated: true, states: { healthy: 2 } },
      ],
    })
  })

  it('give one cell per chip, from memory while nothing changes', async () => {
    const cells = await test.fleet.cells(ALL)
    expect(cells).toHaveLength(6)
    expect(cells.find(({ uuid }) => uuid === 'c3')).toMatchObject({
      vendor: 'other',
      state: 'lost',
      quarantined: false,
    })
    test.transactions()
    await test.fleet.cells(ALL)
    expect(test.transactions()).toBe(0)
    await test.fleet.observe(own, aReport([aChip('o1', { health: 'degraded' })]), 0)
    expect((await test.fleet.cells(ALL)).find(({ uuid }) => uuid === 'o1')?.state).toBe('degraded')
  })

  it('put chips on their cards and count the power of a card once', async () => {
    const cards = await test.fleet.cards(centre, ALL)
    const [first, second] = cards.toSorted((one, other) => one.product.localeCompare(other.product) * -1)
    expect(first).toMatchObject({ cardKey: 'card-1', serial: 'SN-100%', powerWatts: 120, vendor: 'test' })
    expect(first?.chips.map(({ facts }) => facts.uuid)).toEqual(['c1', 'c2'])
    expect(second).toMatchObject({ powerWatts: 5 })
  })
})
