import type { ChipFacts, ChipHealth } from '@medley/fleet/protocol'
import { CHIP_METRICS } from '@medley/monitoring/protocol'
import type { Fault, GroupPlan, LoadCurve, Selector, SimulationPlan } from './plan.ts'
import { hashOf, randomAt } from './random.ts'

/** One node of a plan, spelt out. Nothing here changes over time. */
export interface SimulatedNode {
  readonly hostname: string
  /** From 1, within its group. */
  readonly number: number
  readonly group: GroupPlan
  readonly rack: string
  readonly spine: string
  readonly load: LoadCurve
  readonly chips: readonly SimulatedChip[]
  /** Faults of the node as a whole. */
  readonly faults: readonly Fault[]
}

export interface SimulatedChip {
  readonly index: number
  readonly seed: number
  readonly faults: readonly Fault[]
}

/** What is true of one chip at one time. */
export interface ChipCondition {
  /** Not on the bus: the chip is in no report at all. */
  readonly present: boolean
  readonly health: ChipHealth
  readonly healthReasons: ChipFacts['healthReasons']
  readonly driverVersion: string | null
  readonly eccErrorsUncorrected: number
  /** `null` where it is as its load makes it. */
  readonly celsius: number | null
  /** Whether the vendor's tool still answers for it. */
  readonly readable: boolean
}

/** What is true of one node at one time. */
export interface NodeCondition {
  readonly powered: boolean
  readonly connected: boolean
  /** Its clock minus the true one, milliseconds. */
  readonly skewMs: number
}

const NODE_FAULTS: ReadonlySet<Fault['kind']> = new Set(['node-away', 'network-cut', 'clock-skew'])
/** Stands for the vendor's tool where a reason names one. */
const TOOL = 'simulation'

/** Every node of the plan, in its order. Host names carry `sim-`, so that nobody takes one for hardware. */
export function expandPlan(plan: SimulationPlan): readonly SimulatedNode[] {
  return plan.groups.flatMap((group) =>
    Array.from({ length: group.nodes }, (_, index) => expandNode(plan, group, index + 1)),
  )
}

function expandNode(plan: SimulationPlan, group: GroupPlan, number: number): SimulatedNode {
  const rackNumber = Math.floor((number - 1) / group.nodesPerRack) + 1
  const spineNumber = Math.floor((rackNumber - 1) / group.racksPerSpine) + 1
  const fill = (pattern: string) =>
    pattern.replace(/\{(group|n|rack|spine)(?::(\d))?\}/g, (_, name: string, digits: string | undefined) =>
      name === 'group'
        ? group.name
        : String({ n: number, rack: rackNumber, spine: spineNumber }[name]).padStart(Number(digits ?? 0), '0'),
    )
  const seed = hashOf(`${plan.seed}/${group.name}/${number}`)
  const hostname = fill(group.hostname)
  const mine = plan.faults.filter(({ on }) => selectsNode(on, group.name, number))
  const share = (on: Selector, key: number) => on.share === undefined || randomAt(key, 7) < on.share
  return {
    hostname: hostname.startsWith('sim-') ? hostname : `sim-${hostname}`,
    number,
    group,
    rack: fill(group.rack),
    spine: fill(group.spine),
    load: group.load ?? plan.load,
    faults: mine.filter(({ kind, on }) => NODE_FAULTS.has(kind) && share(on, seed)),
    chips: Array.from({ length: group.chips.count }, (_, index) => {
      const chipSeed = hashOf(`${seed}/${index}`)
      return {
        index,
        seed: chipSeed,
        faults: mine.filter(
          ({ kind, on }) =>
            !NODE_FAULTS.has(kind) && (on.chips === undefined || on.chips.includes(index)) && share(on, chipSeed),
        ),
      }
    }),
  }
}

function selectsNode(on: Selector, group: string, number: number): boolean {
  return (on.group === undefined || on.group === group) && (on.nodes === undefined || on.nodes.includes(number))
}

/** Whether the fault is on `elapsedMs` after the start of the simulation. */
export function isActive(fault: Fault, elapsedMs: number): boolean {
  const since = elapsedMs - fault.at
  if (since < 0) return false
  return fault.for === undefined || (fault.every === undefined ? since : since % fault.every) < fault.for
}

/** How often the fault has begun by then. */
function beginnings(fault: Fault, elapsedMs: number): number {
  const since = elapsedMs - fault.at
  if (since < 0) return 0
  return fault.every === undefined ? 1 : Math.floor(since / fault.every) + 1
}

export function nodeAt(node: SimulatedNode, elapsedMs: number): NodeCondition {
  const active = node.faults.filter((fault) => isActive(fault, elapsedMs))
  const powered = !active.some(({ kind }) => kind === 'node-away')
  return {
    powered,
    connected: powered && !active.some(({ kind }) => kind === 'network-cut'),
    skewMs: active.reduce((sum, fault) => sum + (fault.kind === 'clock-skew' ? fault.byMs : 0), 0),
  }
}

const MEBIBYTE = 2 ** 20
/** A value stands for a quarter of a minute, so that two readings close together agree. */
const BEAT_MS = 15_000

/** From worst to best: of several faults the worst is what a tool would say. */
const BY_WEIGHT: readonly Fault['kind'][] = ['tool-missing', 'lost', 'unusable', 'ecc', 'hot', 'degraded']

export function chipAt(node: SimulatedNode, chip: SimulatedChip, elapsedMs: number): ChipCondition {
  const { driverVersion } = node.group.chips
  if (chip.faults.length === 0) return { ...SOUND, driverVersion }
  const active = chip.faults.filter((fault) => isActive(fault, elapsedMs))
  const worst = BY_WEIGHT.find((kind) => active.some((fault) => fault.kind === kind)) ?? null
  // Counters of errors do not go back when the cause has gone.
  const errors = chip.faults.reduce(
    (sum, fault) => sum + (fault.kind === 'ecc' ? fault.errors * beginnings(fault, elapsedMs) : 0),
    0,
  )
  const hot = active.find((fault) => fault.kind === 'hot')
  const drifted = active.find((fault) => fault.kind === 'driver-version')
  const { health, healthReasons } = verdictOf(worst, errors)
  return {
    present: !active.some(({ kind }) => kind === 'absent'),
    health,
    healthReasons,
    driverVersion: worst === 'tool-missing' ? null : (drifted?.version ?? driverVersion),
    eccErrorsUncorrected: errors,
    celsius: hot?.celsius ?? null,
    readable: worst !== 'tool-missing' && worst !== 'lost' && worst !== 'unusable',
  }
}

const SOUND: Omit<ChipCondition, 'driverVersion'> = {
  present: true,
  health: 'healthy',
  healthReasons: [],
  eccErrorsUncorrected: 0,
  celsius: null,
  readable: true,
}

// The codes are those of the real drivers: whoever reads them meets nothing new.
function verdictOf(worst: Fault['kind'] | null, errors: number): Pick<ChipCondition, 'health' | 'healthReasons'> {
  const said = (value: string) => [{ code: 'health-reported', params: { tool: TOOL, value } }]
  switch (worst) {
    case 'tool-missing':
      return { health: 'unusable', healthReasons: [{ code: 'tool-missing', params: { tool: TOOL } }] }
    case 'lost':
      return { health: 'lost', healthReasons: [{ code: 'not-listed', params: { tool: TOOL } }] }
    case 'unusable':
      return { health: 'unusable', healthReasons: said('unusable') }
    case 'hot':
      return { health: 'degraded', healthReasons: said('overheated') }
    case 'degraded':
      return { health: 'degraded', healthReasons: said('degraded') }
    default:
      return errors > 0
        ? { health: 'degraded', healthReasons: [{ code: 'ecc-uncorrected', params: { count: String(errors) } }] }
        : { health: 'healthy', healthReasons: [] }
  }
}

/** Utilisation by the node's load curve, 0 to 1. `atMs`: true time since the Unix epoch, for curves by the day. */
function utilizationAt(curve: LoadCurve, chip: SimulatedChip, elapsedMs: number, atMs: number): number {
  const noise = curve.noise * (2 * randomAt(chip.seed, Math.floor(elapsedMs / BEAT_MS)) - 1)
  return Math.min(1, Math.max(0, levelOf(curve, elapsedMs, atMs) + noise))
}

function levelOf(curve: LoadCurve, elapsedMs: number, atMs: number): number {
  if (curve.kind === 'constant') return curve.level
  const swing = (turns: number) => curve.low + (curve.high - curve.low) * (0.5 - 0.5 * Math.cos(2 * Math.PI * turns))
  if (curve.kind === 'sine') return swing(elapsedMs / curve.period)
  const hour = (atMs / 3_600_000 + curve.utcOffsetHours) % 24
  return swing((hour - 4) / 24)
}

const HEALTH_RATIO: Readonly<Record<ChipHealth, number | null>> = {
  healthy: 1,
  degraded: 0.5,
  unusable: 0,
  lost: 0,
  unknown: null,
}

/** The readings of one chip by name of the metric catalogue; only health where its tool does not answer. */
export function readingsAt(
  node: SimulatedNode,
  chip: SimulatedChip,
  elapsedMs: number,
  atMs: number,
): Readonly<Record<string, number | null>> {
  const condition = chipAt(node, chip, elapsedMs)
  const healthRatio = condition.present ? HEALTH_RATIO[condition.health] : null
  if (!condition.readable || !condition.present) return { healthRatio }
  const profile = node.group.chips
  const busy = utilizationAt(node.load, chip, elapsedMs, atMs)
  // Sensors differ from each other by themselves: readings that all follow one number would compress far too well.
  const beat = Math.floor(elapsedMs / BEAT_MS)
  const jitter = (sensor: number, spread: number) =>
    1 + spread * (2 * randomAt(chip.seed + sensor, beat) - 1) * Math.min(1, 4 * busy)
  const memoryTotal = profile.memoryGiB * 2 ** 30
  const watts = (profile.idleWatts + busy * (profile.maxWatts - profile.idleWatts)) * jitter(1, 0.03)
  const celsius = condition.celsius ?? (34 + 42 * busy + 4 * randomAt(chip.seed, 1)) * jitter(2, 0.02)
  return {
    // Vendor tools tell whole percents and whole degrees.
    utilizationRatio: rounded(busy, 100),
    memoryUsedBytes: Math.round((memoryTotal * (0.05 + 0.85 * busy)) / MEBIBYTE) * MEBIBYTE,
    memoryTotalBytes: Math.round(memoryTotal),
    temperatureCelsius: Math.round(celsius),
    powerWatts: rounded(watts, 10),
    cardPowerWatts: rounded(watts * profile.perCard, 10),
    powerLimitWatts: profile.maxWatts,
    clockHertz: Math.round((profile.clockMegahertz * (0.4 + 0.6 * busy)) / 15) * 15e6,
    memoryClockHertz: profile.memoryClockMegahertz * 1e6,
    memoryTemperatureCelsius: Math.round((celsius + 6) * jitter(3, 0.02)),
    memoryUtilizationRatio: rounded(Math.min(1, busy * 0.7 * jitter(4, 0.1)), 100),
    fanRatio: rounded(Math.min(1, 0.25 + Math.max(0, celsius - 40) / 70), 100),
    eccErrorsUncorrected: condition.eccErrorsUncorrected,
    // About one in a fortnight a chip, at a pace of its own; never fewer than before.
    eccErrorsCorrected: Math.floor(elapsedMs / (12e8 * (0.5 + randomAt(chip.seed, 2)))),
    pcieReceiveBytesPerSecond: Math.round(busy * 4e3 * jitter(5, 0.3)) * 1e6,
    pcieTransmitBytesPerSecond: Math.round(busy * 2.5e3 * jitter(6, 0.3)) * 1e6,
    healthRatio,
  }
}

function rounded(value: number, steps: number): number {
  return Math.round(value * steps) / steps
}

const METRIC_NAMES = CHIP_METRICS.map(({ name }) => name)

/** The readings in the order of {@link CHIP_METRICS}; `null` for what nobody could read. */
export function valuesAt(node: SimulatedNode, chip: SimulatedChip, elapsedMs: number, atMs: number) {
  const readings = readingsAt(node, chip, elapsedMs, atMs)
  return METRIC_NAMES.map((name) => readings[name] ?? null)
}

/** Changes when, and only when, a report would tell something new beside readings. */
export function signatureAt(node: SimulatedNode, elapsedMs: number): string {
  return node.chips
    .map((chip) => {
      if (chip.faults.length === 0) return ''
      const { present, health, driverVersion, eccErrorsUncorrected, healthReasons } = chipAt(node, chip, elapsedMs)
      return `${present} ${health} ${driverVersion} ${eccErrorsUncorrected} ${healthReasons[0]?.code}`
    })
    .join('|')
}
