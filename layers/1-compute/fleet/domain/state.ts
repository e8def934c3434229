/**
 * What the fleet says of a chip, from worst to best known: not on the bus at all; on the bus without the vendor's
 * driver; the tool fails for it; on the bus but no longer in the tool's answer; works with a complaint; works.
 * `unknown`: nobody has looked lately (its node is away) or the tool says nothing of health.
 */
export const CHIP_STATES = ['absent', 'no-driver', 'unusable', 'lost', 'degraded', 'healthy', 'unknown'] as const
export type ChipState = (typeof CHIP_STATES)[number]

export interface Coded {
  readonly code: string
  readonly params: Readonly<Record<string, string>>
}

/** A state and why. */
export interface Standing {
  readonly state: ChipState
  readonly evidence: readonly Coded[]
}

/** What an agent says of a chip; `absent` where it no longer sees it. */
export interface ReportedHealth {
  readonly health: 'healthy' | 'degraded' | 'lost' | 'unusable' | 'unknown' | 'absent'
  readonly healthReasons: readonly Coded[]
}

/** A chip that is on the bus, and nothing on the node can talk to it. */
const WITHOUT_DRIVER = new Set(['tool-missing', 'no-parser'])
/** The tool's trouble, or the operator's doing: true of all chips at once, and no sign of a bad one. */
const NOT_THE_CHIP = new Set([...WITHOUT_DRIVER, 'tool-timeout', 'tool-too-large', 'bound-elsewhere'])

/** The chip went while its agent ran on, as one that falls off the bus does. */
export const DISAPPEARED: Coded = { code: 'disappeared', params: {} }
/** The chip was not there when the agent started: pulled, moved, or its driver is slow. */
export const NOT_REPORTED: Coded = { code: 'not-reported', params: {} }
/** The agent runs, and the chip's driver has not answered it once. */
export const NOT_READ_YET: Coded = { code: 'not-read-yet', params: {} }
/** Told with the first change after some that are lost; says nothing of the chip. */
export const CHANGES_LOST = 'changes-lost'

export function standingOf({ health, healthReasons }: ReportedHealth): Standing {
  if (health === 'absent')
    return { state: 'absent', evidence: healthReasons.length > 0 ? healthReasons : [DISAPPEARED] }
  const working = health === 'healthy' || health === 'degraded'
  const driverless = !working && healthReasons.some(({ code }) => WITHOUT_DRIVER.has(code))
  return { state: driverless ? 'no-driver' : health, evidence: healthReasons }
}

/** Whether the chip itself is to blame: what the quarantine counts. */
export function isFault({ state, evidence }: Standing): boolean {
  if (state === 'absent') return !evidence.some(({ code }) => code === NOT_REPORTED.code)
  if (state !== 'lost' && state !== 'unusable') return false
  const reasons = evidence.filter(({ code }) => code !== CHANGES_LOST)
  return reasons.length === 0 || reasons.some(({ code }) => !NOT_THE_CHIP.has(code))
}

/** Whether new work may be placed on the chip. */
export function isUsable(chip: {
  readonly state: ChipState
  readonly quarantined: boolean
  readonly nodeConnected: boolean
  readonly nodeOpen: boolean
  readonly inMaintenance: boolean
}): boolean {
  const works = chip.state === 'healthy' || chip.state === 'degraded'
  return works && !chip.quarantined && chip.nodeConnected && chip.nodeOpen && !chip.inMaintenance
}
