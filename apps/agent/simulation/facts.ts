import { createHash } from 'node:crypto'
import type { ChipChange, ChipFacts, NodeFacts } from '@medley/fleet/protocol'
import { chipAt, readingsAt, type SimulatedChip, type SimulatedNode } from './model.ts'

const SENSORS = [
  'powerLimitWatts',
  'clockHertz',
  'memoryClockHertz',
  'memoryTemperatureCelsius',
  'memoryUtilizationRatio',
  'fanRatio',
  'eccErrorsCorrected',
  'pcieReceiveBytesPerSecond',
  'pcieTransmitBytesPerSecond',
]

/** The same for a chip of a fleet for ever; unlike that of the same chip in another simulation of the same plan. */
export function uuidOf(fleetId: string, node: SimulatedNode, index: number): string {
  const digest = createHash('sha256').update(`${fleetId}/${node.hostname}/${index}`).digest('hex')
  return `SIM-${digest.slice(0, 8)}-${digest.slice(8, 12)}-${digest.slice(12, 24)}`
}

/** What the node tells of itself: nothing that it has not got. */
export function nodeFactsOf(node: SimulatedNode, agentVersion: string): NodeFacts {
  return {
    hostname: node.hostname,
    operatingSystem: 'simulated',
    kernel: 'simulated',
    architecture: 'simulated',
    cpuCount: 128,
    memoryBytes: 2 ** 40,
    agentVersion,
    nodeVersion: process.versions.node,
    engines: [],
  }
}

/** All chips that are on the bus then, as a driver would read them. `uuids` by index. */
export function chipFactsAt(
  node: SimulatedNode,
  uuids: readonly string[],
  elapsedMs: number,
  atMs: number,
): ChipFacts[] {
  return node.chips.flatMap((chip) => {
    const condition = chipAt(node, chip, elapsedMs)
    if (!condition.present) return []
    const readings = readingsAt(node, chip, elapsedMs, atMs)
    const reading = (name: string) => readings[name] ?? null
    const { perCard, memoryGiB, computeUnits, features, firmwareVersion } = node.group.chips
    const uuid = uuids[chip.index] ?? ''
    return {
      vendor: node.group.vendor,
      index: chip.index,
      uuid,
      serial: uuid.slice(4),
      pciAddress: `0000:${(0x10 + chip.index).toString(16)}:00.0`,
      product: node.group.product,
      cardKey: `${uuids[chip.index - (chip.index % perCard)] ?? uuid}-card`,
      chipOnCard: chip.index % perCard,
      memoryTotalBytes: condition.readable ? Math.round(memoryGiB * 2 ** 30) : null,
      memoryUsedBytes: reading('memoryUsedBytes'),
      utilizationRatio: reading('utilizationRatio'),
      temperatureCelsius: reading('temperatureCelsius'),
      powerWatts: reading('powerWatts'),
      cardPowerWatts: reading('cardPowerWatts'),
      health: condition.health,
      healthReasons: condition.healthReasons,
      driverVersion: condition.driverVersion,
      firmwareVersion,
      numaNode: chip.index < node.chips.length / 2 ? 0 : 1,
      eccErrorsUncorrected: condition.readable ? condition.eccErrorsUncorrected : null,
      computeUnits,
      features,
      extra: {},
      sensors: Object.fromEntries(SENSORS.map((name) => [name, reading(name)])),
      slices: [],
      links: linksOf(node, chip, uuids),
      simulated: true,
    }
  })
}

function linksOf(node: SimulatedNode, chip: SimulatedChip, uuids: readonly string[]): NonNullable<ChipFacts['links']> {
  const { links } = node.group.chips
  if (links === undefined) return []
  const bytesPerSecond = links.gigabytesPerSecond === null ? null : links.gigabytesPerSecond * 1e9
  return uuids
    .filter((_, index) => index !== chip.index)
    .map((to) => ({ to, kind: 'link', label: links.label, bytesPerSecond }))
}

/** Changes of health between two times, for a server that was not there to see them. `atMs` by the node's own clock. */
export function changesBetween(
  node: SimulatedNode,
  uuids: readonly string[],
  fromElapsedMs: number,
  toElapsedMs: number,
  atMs: number,
): ChipChange[] {
  return node.chips.flatMap((chip) => {
    if (chip.faults.length === 0) return []
    const was = healthAt(node, chip, fromElapsedMs)
    const is = healthAt(node, chip, toElapsedMs)
    if (was.health === is.health && was.healthReasons[0]?.code === is.healthReasons[0]?.code) return []
    return [{ uuid: uuids[chip.index] ?? '', atMs, ...is }]
  })
}

function healthAt(
  node: SimulatedNode,
  chip: SimulatedChip,
  elapsedMs: number,
): Pick<ChipChange, 'health' | 'healthReasons'> {
  const { present, health, healthReasons } = chipAt(node, chip, elapsedMs)
  return present ? { health, healthReasons } : { health: 'absent', healthReasons: [] }
}
