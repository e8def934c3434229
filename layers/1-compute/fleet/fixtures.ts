/** For the tests of this module: nodes, chips and reports without hardware. */
import { randomBytes } from 'node:crypto'
import { createIdFactory, systemScope } from '@medley/kernel'
import { type ScopedDatabase, storeMigrations } from '@medley/store'
import { startTestStore } from '@medley/testkit'
import { createFleet, type FleetPorts, fleetMigrations, type OpenedFleet } from './index.ts'
import type { AgentReport, ChipFacts } from './protocol.ts'

export const ALL = { all: true } as const
export const OPERATOR = systemScope('operator')

export function aChip(uuid: string, other: Partial<ChipFacts> = {}): ChipFacts {
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
    simulated: false,
    ...other,
  }
}

export function aReport(chips: readonly ChipFacts[], other: Partial<AgentReport> = {}): AgentReport {
  return {
    nodeKey: 'key',
    bootId: 'boot',
    facts: {
      hostname: 'host',
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
    ...other,
  }
}

export interface FleetUnderTest {
  readonly fleet: OpenedFleet
  /** Turns the clock on and lets the fleet's clockwork run. */
  pass(ms: number): Promise<boolean>
  nowMs(): number
  /** Transactions since the last call. */
  transactions(): number
  /** The same store seen by a server process that has just started. */
  restarted(): OpenedFleet
  joined(name: string, other?: { tenantId?: string; simulated?: boolean }): Promise<string>
  execute(statement: string): Promise<readonly Record<string, unknown>[]>
  close(): Promise<void>
}

/** A fleet on a store of its own, with a clock that stands still. */
export async function fleetUnderTest(more: Partial<FleetPorts> = {}): Promise<FleetUnderTest> {
  const { store, close } = await startTestStore(storeMigrations, fleetMigrations)
  let nowMs = Date.parse('2026-11-23T00:00:00Z')
  let transactions = 0
  const clock = { now: () => nowMs }
  const ids = createIdFactory(clock, randomBytes)
  const counted: FleetPorts['store'] = {
    ...store,
    tables: <Tables>(): ScopedDatabase<Tables> => {
      const tables = store.tables<Tables>()
      const run: ScopedDatabase<Tables>['run'] = (scope, work) => {
        transactions += 1
        return tables.run(scope, work)
      }
      return { run }
    },
  }
  const start = () => createFleet({ store: counted, clock, ids, ...more })
  const fleet = start()
  return {
    fleet,
    nowMs: () => nowMs,
    pass: async (ms) => {
      nowMs += ms
      return (await fleet.tick()).changed
    },
    transactions: () => {
      const counted = transactions
      transactions = 0
      return counted
    },
    restarted: start,
    joined: async (name, other = {}) => {
      const { tenantId = null, simulated = false } = other
      const node = { nodeKey: name, hostname: `host-${name}`, tenantId, simulated, agentVersion: '0' }
      const { nodeId } = await fleet.enrol(node)
      await fleet.presence(nodeId, true)
      return nodeId
    },
    execute: async (statement) => (await store.pool.query<Record<string, unknown>>(statement)).rows,
    close,
  }
}
