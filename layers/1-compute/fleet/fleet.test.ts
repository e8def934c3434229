import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ALL, aChip, aReport, type FleetUnderTest, fleetUnderTest, OPERATOR } from './fixtures/fleet-under-test.ts'
import type { ChipFacts } from './protocol.ts'

const MINUTE = 60_000

describe('fleet', () => {
  let test: FleetUnderTest

  beforeAll(async () => {
    test = await fleetUnderTest()
  })
  afterAll(() => test.close())

  const chipOf = (uuid: string) => test.fleet.chip(uuid, ALL)
  const statesOf = async (uuid: string) => {
    const events = await test.fleet.events({ viewer: ALL, chipId: uuid, after: null, limit: 100 })
    return events
      .filter(({ kind }) => kind === 'found' || kind === 'state')
      .map(({ from, to }) => `${from}>${to}`)
      .toReversed()
  }
  const kindsOf = async (uuid: string) =>
    (await test.fleet.events({ viewer: ALL, chipId: uuid, after: null, limit: 100 })).map(({ kind }) => kind)
  const observe = (nodeId: string, chips: readonly ChipFacts[], other: Parameters<typeof aReport>[1] = {}) =>
    test.fleet.observe(nodeId, aReport(chips, other), 0)

  describe('a report', () => {
    it('makes chips known by their uuid, once', async () => {
      const node = await test.joined('r1')
      expect(await observe(node, [aChip('a'), aChip('b')])).toEqual({ changed: true })
      expect(await observe(node, [aChip('b'), aChip('a')])).toEqual({ changed: false })
      const chips = await test.fleet.chips({ viewer: ALL, after: null, limit: 100, filter: { nodeId: node } })
      expect(chips.map(({ facts }) => facts.uuid).sort()).toEqual(['a', 'b'])
      expect(chips[0]).toMatchObject({ nodeName: 'host', state: 'healthy', usable: true, quarantine: null })
    })

    it('that says nothing new costs nothing, and its readings are shown', async () => {
      const node = await test.joined('r2')
      await observe(node, [aChip('e')])
      test.transactions()
      const hot = aChip('e', { powerWatts: 7, sensors: { fan: 1 }, extra: { clock: '1 GHz' } })
      expect(await observe(node, [hot])).toEqual({ changed: false })
      expect(test.transactions()).toBe(0)
      expect((await chipOf('e')).facts).toMatchObject({ powerWatts: 7, sensors: { fan: 1 }, extra: { clock: '1 GHz' } })
    })

    it('is compared with the store after a restart of the server, with one read', async () => {
      const node = await test.joined('r3')
      await observe(node, [aChip('f', { powerWatts: 7 })])
      const restarted = test.restarted()
      test.transactions()
      expect(await restarted.observe(node, aReport([aChip('f')]), 0)).toEqual({ changed: false })
      expect(test.transactions()).toBe(1)
      await restarted.observe(node, aReport([aChip('f')]), 0)
      expect(test.transactions()).toBe(0)
      expect((await test.restarted().chip('f', ALL)).facts.powerWatts).toBeNull()
    })

    it('without a chip that was there makes it absent, and knows it again', async () => {
      const node = await test.joined('r4')
      await observe(node, [aChip('c'), aChip('d')])
      expect(await observe(node, [aChip('c')])).toEqual({ changed: true })
      expect(await chipOf('d')).toMatchObject({ state: 'absent', evidence: [{ code: 'disappeared' }], usable: false })
      expect(await observe(node, [aChip('c')])).toEqual({ changed: false })
      await observe(node, [aChip('c'), aChip('d')])
      expect(await statesOf('d')).toEqual(['null>healthy', 'healthy>absent', 'absent>healthy'])
      await observe(node, [aChip('c')], { bootId: 'another' })
      expect((await chipOf('d')).evidence).toEqual([{ code: 'not-reported', params: {} }])
    })

    it('that names a chip twice counts it once', async () => {
      const node = await test.joined('r5')
      await observe(node, [aChip('g'), aChip('g')])
      expect(await observe(node, [aChip('g'), aChip('g')])).toEqual({ changed: false })
      expect(await test.fleet.chips({ viewer: ALL, after: null, limit: 9, filter: { nodeId: node } })).toHaveLength(1)
    })

    it('of a node that is unknown or revoked is refused', async () => {
      await expect(observe('node_none', [])).rejects.toMatchObject({ code: 'fleet.node.unknown' })
      const node = await test.joined('r6')
      await observe(node, [aChip('h')])
      await test.fleet.revoked(node)
      await test.fleet.revoked(node)
      await expect(observe(node, [aChip('h')])).rejects.toMatchObject({ code: 'fleet.node.revoked' })
      expect(await chipOf('h')).toMatchObject({ state: 'unknown', evidence: [{ code: 'node-revoked' }], usable: false })
      expect(await statesOf('h')).toEqual(['null>healthy', 'healthy>unknown'])
    })

    it('of a simulated node is marked so, whatever it says', async () => {
      const node = await test.joined('r7', { simulated: true })
      await observe(node, [aChip('i', { simulated: false })])
      expect(await chipOf('i')).toMatchObject({ simulated: true, facts: { simulated: true } })
    })

    it('tells what changed of a chip: product, driver, firmware', async () => {
      const node = await test.joined('r8')
      await observe(node, [aChip('j', { driverVersion: '1', firmwareVersion: '1' })])
      await observe(node, [aChip('j', { driverVersion: null, firmwareVersion: '1', health: 'unusable' })])
      await observe(node, [aChip('j', { driverVersion: '2', firmwareVersion: '1', product: 'Other' })])
      expect(await kindsOf('j')).toEqual(['driver-version', 'product', 'state', 'state', 'found'])
    })

    it('keeps a chip whose tool no longer names it, by its slot', async () => {
      const node = await test.joined('r9')
      const slot = { pciAddress: '0000:01:00.0' }
      await observe(node, [aChip('real-1', slot)])
      const nameless = aChip('test-pci-0000:01:00.0', {
        ...slot,
        health: 'unusable',
        healthReasons: [{ code: 'tool-missing', params: { tool: 'smi' } }],
      })
      await observe(node, [nameless])
      expect(await observe(node, [nameless])).toEqual({ changed: false })
      expect(await chipOf('real-1')).toMatchObject({ state: 'no-driver', usable: false })
      const chips = await test.fleet.chips({ viewer: ALL, after: null, limit: 9, filter: { nodeId: node } })
      expect(chips.map(({ facts }) => facts.uuid)).toEqual(['real-1'])
    })

    it('keeps apart what two nodes name by the slot only', async () => {
      const [one, other] = [await test.joined('r10'), await test.joined('r11')]
      await observe(one, [aChip('test-index-0')])
      await observe(other, [aChip('test-index-0')])
      const found = await test.fleet.chips({ viewer: ALL, after: null, limit: 9, filter: { text: 'TEST-INDEX' } })
      expect(found.map(({ nodeId }) => nodeId).sort()).toEqual([one, other].sort())
    })
  })

  describe('a driver that is slow when its agent starts', () => {
    const started = { bootId: 'started', unread: ['slow'] }
    const slow = aChip('u-slow', { vendor: 'slow' })

    it('leaves its chips as they are, and what it says first is taken in full', async () => {
      const node = await test.joined('u1')
      await observe(node, [aChip('u-quick'), slow, aChip('u-other')])
      await observe(node, [aChip('u-quick')], started)
      expect(await observe(node, [aChip('u-quick')], started)).toEqual({ changed: false })
      expect([(await chipOf('u-slow')).state, (await chipOf('u-other')).state]).toEqual(['healthy', 'absent'])
      await observe(node, [aChip('u-quick'), slow], { ...started, unread: [] })
      expect(await statesOf('u-slow')).toEqual(['null>healthy'])
      await observe(node, [aChip('u-quick')], { ...started, unread: [] })
      expect((await chipOf('u-slow')).evidence).toEqual([{ code: 'disappeared', params: {} }])
    })

    it('is waited for only so long: then nobody knows how its chips are', async () => {
      const node = await test.joined('u3')
      const late = aChip('u-late', { vendor: 'slow' })
      await observe(node, [late])
      await observe(node, [], started)
      for (let second = 20; second < 90; second += 20) {
        await test.pass(20_000)
        expect(await observe(node, [], started)).toEqual({ changed: false })
      }
      await test.pass(20_000)
      expect(await observe(node, [], started)).toEqual({ changed: true })
      expect(await chipOf('u-late')).toMatchObject({ state: 'unknown', evidence: [{ code: 'not-read-yet' }] })
      expect(await observe(node, [], started)).toEqual({ changed: false })
      await observe(node, [late], { ...started, unread: [] })
      expect(await statesOf('u-late')).toEqual(['null>healthy', 'healthy>unknown', 'unknown>healthy'])
    })

    it('may find a chip gone that nobody saw leave, also for a server that has restarted', async () => {
      const node = await test.joined('u2')
      const gone = aChip('u-gone', { vendor: 'slow' })
      await observe(node, [gone])
      await test.pass(MINUTE)
      await observe(node, [], started)
      expect(await chipOf('u-gone')).toMatchObject({ state: 'unknown', evidence: [{ code: 'not-read-yet' }] })
      const restarted = test.restarted()
      await restarted.observe(node, aReport([], started), 0)
      await restarted.observe(node, aReport([], { ...started, unread: [] }), 0)
      expect(await chipOf('u-gone')).toMatchObject({ state: 'absent', evidence: [{ code: 'not-reported' }] })
    })
  })

  describe('what an agent kept while nobody listened', () => {
    const change = (atMs: number, health: 'healthy' | 'degraded' | 'lost') => ({
      uuid: 'k',
      atMs,
      health,
      healthReasons: [],
    })

    it('is history at its own times, by the clock of the server, before what holds now', async () => {
      const node = await test.joined('k1')
      await observe(node, [aChip('k')])
      await test.pass(10 * MINUTE)
      expect((await chipOf('k')).state).toBe('unknown')
      const skewMs = 3_600_000
      const agentNow = test.nowMs() + skewMs
      const changes = [change(agentNow - 5 * MINUTE, 'degraded'), change(agentNow - 2 * MINUTE, 'lost')]
      const report = aReport([aChip('k')], { changes })
      await test.fleet.observe(node, report, skewMs)
      await test.fleet.observe(node, report, skewMs + 3)
      await test.fleet.observe(node, { ...report, changes: changes.toReversed() }, skewMs)
      expect(await statesOf('k')).toEqual([
        'null>healthy',
        'healthy>unknown',
        'unknown>degraded',
        'degraded>lost',
        'lost>healthy',
      ])
      const [now, lost] = await test.fleet.events({ viewer: ALL, chipId: 'k', after: null, limit: 2 })
      expect(now?.at.getTime()).toBe(test.nowMs())
      expect(lost?.at.getTime()).toBe(test.nowMs() - 2 * MINUTE)
    })

    it('is marked where the agent could not keep it all, once, and that is no fault of the chip', async () => {
      const node = await test.joined('k2')
      await observe(node, [aChip('k-lost'), aChip('k-same')])
      await test.pass(10 * MINUTE)
      const hung = { health: 'unusable' as const, healthReasons: [{ code: 'tool-timeout', params: {} }] }
      const changesLostBeforeMs = test.nowMs() - 2 * MINUTE
      const changes = [{ ...change(changesLostBeforeMs + 1, 'healthy'), ...hung, uuid: 'k-lost' }]
      const report = aReport([aChip('k-lost'), aChip('k-same')], { changes, changesLostBeforeMs })
      await test.fleet.observe(node, report, 0)
      expect(await test.fleet.observe(node, report, 0)).toEqual({ changed: false })
      await test.restarted().observe(node, report, 0)
      const lost = { code: 'changes-lost', params: { before: new Date(changesLostBeforeMs).toISOString() } }
      const told = async (chipId: string) =>
        (await test.fleet.events({ viewer: ALL, chipId, after: null, limit: 9 })).map(({ evidence }) => evidence)
      expect((await told('k-lost')).slice(0, 2)).toEqual([[], [...hung.healthReasons, lost]])
      expect((await told('k-same')).slice(0, 1)).toEqual([[lost]])
      expect((await chipOf('k-same')).evidence).toEqual([])
      for (let time = 0; time < 3; time += 1) {
        await test.pass(1_000)
        const again = { ...report, changes: [], changesLostBeforeMs: changesLostBeforeMs + time }
        await test.fleet.observe(node, { ...again, chips: [aChip('k-lost', hung), aChip('k-same')] }, 0)
        await test.fleet.observe(node, again, 0)
      }
      expect((await chipOf('k-lost')).quarantine).toBeNull()
    })
  })

  describe('a chip that two nodes claim', () => {
    it('stays with the first while that is connected, and is told once', async () => {
      const [one, other] = [await test.joined('c1'), await test.joined('c2')]
      await observe(one, [aChip('l')])
      await observe(other, [aChip('l')])
      expect(await observe(other, [aChip('l')])).toEqual({ changed: false })
      await test.restarted().observe(other, aReport([aChip('l')]), 0)
      expect((await chipOf('l')).nodeId).toBe(one)
      expect((await kindsOf('l')).filter((kind) => kind === 'claimed-twice')).toHaveLength(1)
    })

    it('goes over when the first no longer has it', async () => {
      const [one, other] = [await test.joined('c3'), await test.joined('c4')]
      await observe(one, [aChip('m')])
      await observe(other, [aChip('m')])
      await observe(one, [])
      await observe(other, [aChip('m')])
      expect(await chipOf('m')).toMatchObject({ nodeId: other, state: 'healthy' })
      expect(await kindsOf('m')).toContain('moved')
      expect(await statesOf('m')).toEqual(['null>healthy', 'healthy>absent', 'absent>healthy'])
    })

    it('goes over from a node that is away, but never to a simulated one', async () => {
      const one = await test.joined('c5')
      await observe(one, [aChip('n')])
      await test.pass(MINUTE)
      const pretender = await test.joined('c6', { simulated: true })
      await observe(pretender, [aChip('n')])
      expect((await chipOf('n')).nodeId).toBe(one)
      const heir = await test.joined('c7')
      await observe(heir, [aChip('n')])
      expect((await chipOf('n')).nodeId).toBe(heir)
    })

    it('stays with its owner while absent or away, and goes over once its node is revoked', async () => {
      const owner = await test.joined('c11', { tenantId: 'tenant_a' })
      const others = [await test.joined('c12', { tenantId: 'tenant_b' }), await test.joined('c13')]
      const allReport = async () => {
        for (const other of others) await observe(other, [aChip('c-owned')])
        return (await chipOf('c-owned')).nodeId
      }
      await observe(owner, [aChip('c-owned')])
      await observe(owner, [])
      expect((await chipOf('c-owned')).state).toBe('absent')
      expect(await allReport()).toBe(owner)
      await test.pass(MINUTE)
      expect(await allReport()).toBe(owner)
      await observe(owner, [aChip('c-owned')])
      expect(await chipOf('c-owned')).toMatchObject({ nodeId: owner, state: 'healthy' })
      await test.fleet.revoked(owner)
      expect(await allReport()).toBe(others[0])
    })

    it('tells each of two owners its own side, and nothing of the other', async () => {
      const holder = await test.joined('c14', { tenantId: 'tenant_c' })
      const rival = await test.joined('c15', { tenantId: 'tenant_d' })
      const named = (hostname: string) => ({ facts: { ...aReport([]).facts, hostname } })
      const told = async (tenantId: string) =>
        await test.fleet.events({ viewer: { all: false, tenantId }, chipId: 'c-two', after: null, limit: 9 })
      await observe(holder, [aChip('c-two')], named('host-of-c'))
      for (let again = 0; again < 2; again += 1) await observe(rival, [aChip('c-two')], named('host-of-d'))
      const { id } = await chipOf('c-two')
      const [toHolder] = await told('tenant_c')
      const toRival = await told('tenant_d')
      expect(toHolder).toMatchObject({ chipId: id, nodeId: holder, kind: 'claimed-twice', from: holder, to: null })
      expect(toRival).toMatchObject([{ chipId: 'c-two', nodeId: rival, kind: 'claimed-twice', from: null, to: rival }])
      await test.fleet.revoked(holder)
      await observe(rival, [aChip('c-two')], named('host-of-d'))
      const moved = (await told('tenant_d')).filter(({ kind }) => kind === 'moved')
      expect(moved).toMatchObject([{ chipId: id, from: null, to: rival }])
      const said = JSON.stringify([await told('tenant_d'), toRival[0]?.evidence])
      expect([said.includes(holder), said.includes('host-of-c')]).toEqual([false, false])
      const heard = JSON.stringify(await told('tenant_c'))
      expect([heard.includes(rival), heard.includes('host-of-d')]).toEqual([false, false])
    })

    it('is one chip also when both come at the same moment', async () => {
      const nodes = await Promise.all(['c8', 'c9', 'c10'].map((name) => test.joined(name)))
      const chips = ['o1', 'o2', 'o3'].map((uuid) => aChip(uuid))
      await Promise.all(nodes.map((node, index) => observe(node, index === 1 ? chips.toReversed() : chips)))
      const rows = await test.execute("select uuid from chips where uuid in ('o1', 'o2', 'o3') order by uuid")
      expect(rows.map(({ uuid }) => uuid)).toEqual(['o1', 'o2', 'o3'])
    })
  })

  describe('presence', () => {
    it('turns a silent node away after two polls, dated to its last word, and back with its report', async () => {
      const node = await test.joined('p1')
      await observe(node, [aChip('p')])
      const lastWord = test.nowMs()
      await test.pass(30_000)
      expect((await test.fleet.node(node, ALL)).state).toBe('connected')
      expect(await test.pass(5_000)).toBe(true)
      expect(await test.fleet.node(node, ALL)).toMatchObject({ state: 'away', stateSince: new Date(lastWord) })
      expect(await chipOf('p')).toMatchObject({ state: 'unknown', evidence: [{ code: 'node-away' }], usable: false })
      await test.fleet.presence(node, true)
      expect((await test.fleet.node(node, ALL)).state).toBe('connected')
      expect(await observe(node, [aChip('p')])).toEqual({ changed: true })
      expect(await statesOf('p')).toEqual(['null>healthy', 'healthy>unknown', 'unknown>healthy'])
      expect((await chipOf('p')).quarantine).toBeNull()
    })

    it('keeps a node that is heard, and writes when at most once a minute', async () => {
      const node = await test.joined('p2')
      await observe(node, [aChip('q')])
      await test.pass(61_000)
      for (let poll = 0; poll < 8; poll += 1) {
        test.fleet.heard(node, 5)
        await test.pass(15_000)
      }
      expect(await test.fleet.node(node, ALL)).toMatchObject({ clockSkewMs: 5 })
      const [row] = await test.execute(`select clock_skew_ms, last_seen_at from nodes where id = '${node}'`)
      expect(row).toMatchObject({ clock_skew_ms: 5 })
    })

    it('turns nodes away that never came back to a restarted server', async () => {
      const node = await test.joined('p3')
      await observe(node, [aChip('s')])
      const restarted = test.restarted()
      expect((await restarted.node(node, ALL)).state).toBe('connected')
      await restarted.tick()
      expect((await restarted.node(node, ALL)).state).toBe('connected')
      await test.pass(36_000)
      await restarted.tick()
      expect((await restarted.node(node, ALL)).state).toBe('away')
    })
  })

  describe('history', () => {
    it('cannot be changed, not even by hand', async () => {
      const node = await test.joined('h1')
      await observe(node, [aChip('t')])
      for (const statement of [
        "update chip_events set to_value = 'lost'",
        'delete from chip_events',
        'truncate chip_events',
      ])
        await expect(test.execute(statement)).rejects.toThrow('append-only')
    })

    it('is paged from the newest to the oldest without a gap', async () => {
      const node = await test.joined('h2')
      for (const health of ['healthy', 'degraded', 'healthy', 'degraded'] as const) {
        await observe(node, [aChip('u', { health })])
        await test.pass(1_000)
      }
      const seen: string[] = []
      let after: string | null = null
      for (;;) {
        const page = await test.fleet.events({ viewer: ALL, nodeId: node, after, limit: 3 })
        seen.push(...page.map(({ to }) => to ?? ''))
        after = page.at(-1)?.id ?? null
        if (page.length < 3) break
      }
      expect(seen).toEqual(['degraded', 'healthy', 'degraded', 'healthy'])
    })
  })

  describe('quarantine', () => {
    it('follows on repeated faults, and only a person ends it', async () => {
      const node = await test.joined('q1')
      for (let fault = 0; fault < 3; fault += 1) {
        await observe(node, [aChip('v')])
        expect((await chipOf('v')).quarantine).toBeNull()
        await test.pass(1_000)
        await observe(node, [aChip('v', { health: 'lost' })])
        await test.pass(1_000)
      }
      await observe(node, [aChip('v')])
      expect(await chipOf('v')).toMatchObject({
        state: 'healthy',
        usable: false,
        quarantine: { reason: { code: 'repeated-faults', params: { count: '3', hours: '24' } }, by: 'fleet' },
      })
      const released = await test.fleet.release(OPERATOR, 'v', 'cable replaced')
      expect(released).toMatchObject({ usable: true, quarantine: null })
      await test.pass(1_000)
      await observe(node, [aChip('v', { health: 'lost' })])
      expect((await chipOf('v')).quarantine).toBeNull()
      await expect(test.fleet.release(OPERATOR, 'v', '')).rejects.toMatchObject({
        code: 'fleet.chip.not-quarantined',
      })
      expect((await kindsOf('v')).filter((kind) => kind === 'quarantined' || kind === 'released')).toEqual([
        'released',
        'quarantined',
      ])
    })

    it('may be ordered by a person', async () => {
      const node = await test.joined('q2')
      await observe(node, [aChip('w')])
      const chip = await test.fleet.quarantine(OPERATOR, 'w', 'smells')
      expect(chip).toMatchObject({ usable: false, quarantine: { by: 'operator', reason: { code: 'by-person' } } })
    })
  })
})
