import { randomBytes } from 'node:crypto'
import { createIdFactory } from '@medley/kernel'
import { storeMigrations } from '@medley/store'
import { startTestStore, type TestStore } from '@medley/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFleet, type Fleet, fleetMigrations } from './index.ts'
import type { AgentReport, ChipFacts } from './protocol.ts'

const clock = { now: () => Date.now() }
const ids = createIdFactory(clock, randomBytes)

function aChip(uuid: string): ChipFacts {
  return {
    vendor: 'test',
    index: 0,
    uuid,
    serial: null,
    pciAddress: null,
    product: 'Test chip',
    cardKey: uuid,
    chipOnCard: 0,
    memoryTotalBytes: 1024,
    memoryUsedBytes: null,
    utilizationRatio: null,
    temperatureCelsius: null,
    powerWatts: null,
    cardPowerWatts: null,
    health: 'healthy',
    healthReasons: [],
    driverVersion: null,
    firmwareVersion: null,
    numaNode: null,
    eccErrorsUncorrected: null,
    computeUnits: 2,
    features: [],
    extra: {},
    simulated: true,
  }
}

function report(nodeKey: string, chips: readonly ChipFacts[]): AgentReport {
  return {
    nodeKey,
    bootId: 'boot',
    facts: {
      hostname: `host-${nodeKey}`,
      operatingSystem: 'linux',
      kernel: '6',
      architecture: 'x64',
      cpuCount: 2,
      memoryBytes: 1024,
      agentVersion: '0',
      nodeVersion: '24',
      engines: [],
    },
    chips: [...chips],
    workloads: [],
    appliedRevision: 0,
    waitMs: 0,
  }
}

describe('fleet', () => {
  let test: TestStore
  let fleet: Fleet

  beforeAll(async () => {
    test = await startTestStore(storeMigrations, fleetMigrations)
    fleet = createFleet({ store: test.store, clock, ids })
  })
  afterAll(() => test.close())

  it('knows a chip by its uuid over every report', async () => {
    const first = await fleet.observe(report('n1', [aChip('a'), aChip('b')]))
    const second = await fleet.observe(report('n1', [aChip('b'), aChip('a')]))
    const chips = await fleet.chips({ after: null, limit: 100 })
    expect(second.nodeId).toBe(first.nodeId)
    expect(first.changed).toBe(true)
    expect(second.changed).toBe(false)
    expect(chips.map((chip) => chip.facts.uuid).sort()).toEqual(['a', 'b'])
    expect(chips[0]?.nodeName).toBe('host-n1')
  })

  it('calls a chip that is no longer reported lost, and finds it again', async () => {
    await fleet.observe(report('n2', [aChip('c'), aChip('d')]))
    expect((await fleet.observe(report('n2', [aChip('c')]))).changed).toBe(true)
    const health = async () => {
      const chips = await fleet.chips({ after: null, limit: 100 })
      return chips.find((chip) => chip.facts.uuid === 'd')?.facts.health
    }
    expect(await health()).toBe('lost')
    expect((await fleet.observe(report('n2', [aChip('c'), aChip('d')]))).changed).toBe(true)
    expect(await health()).toBe('healthy')
  })

  it('writes every report, and calls nothing changed when only the readings are new', async () => {
    await fleet.observe(report('n3', [aChip('e')]))
    const { changed } = await fleet.observe(report('n3', [{ ...aChip('e'), powerWatts: 7 }]))
    const chips = await fleet.chips({ after: null, limit: 100 })
    expect(changed).toBe(false)
    expect(chips.find((chip) => chip.facts.uuid === 'e')?.facts.powerWatts).toBe(7)
  })

  it('answers for an unknown chip with a code', async () => {
    await expect(fleet.chip('chip_none')).rejects.toMatchObject({ code: 'fleet.chip.unknown' })
  })
})
