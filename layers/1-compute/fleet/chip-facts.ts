import { hash } from 'node:crypto'
import type { AgentReport, ChipFacts } from './protocol.ts'

/** What changes with every look and says nothing of what the chip is or how it is. */
export type Readings = Pick<
  ChipFacts,
  'memoryUsedBytes' | 'utilizationRatio' | 'temperatureCelsius' | 'powerWatts' | 'cardPowerWatts' | 'extra' | 'sensors'
>

export function readingsOf(facts: ChipFacts): Readings {
  const { memoryUsedBytes, utilizationRatio, temperatureCelsius, powerWatts, cardPowerWatts, extra, sensors } = facts
  const readings = { memoryUsedBytes, utilizationRatio, temperatureCelsius, powerWatts, cardPowerWatts, extra }
  return sensors === undefined ? readings : { ...readings, sensors }
}

/** What is kept of a chip: an old reading must never be taken for a present one. The vendor's extras stay, as last seen. */
export function withoutReadings(facts: ChipFacts): ChipFacts {
  const { sensors: _, ...rest } = facts
  return {
    ...rest,
    memoryUsedBytes: null,
    utilizationRatio: null,
    temperatureCelsius: null,
    powerWatts: null,
    cardPowerWatts: null,
  }
}

/** Same digest: nothing of the chip has to be written. Extras are left out, for vendors put readings there too. */
export function digestOfChip(facts: ChipFacts): string {
  const { extra: _, ...kept } = withoutReadings(facts)
  return shortHash(kept)
}

export function digestOfNode({ bootId, facts }: Pick<AgentReport, 'bootId' | 'facts'>): string {
  return shortHash([bootId, facts])
}

/**
 * Whether the uuid is only the place where the chip sits, made by its driver because the tool names none: true on one
 * node and nowhere else. Agents mark such uuids with their node; older ones did not.
 */
export function isMadeUuid({ uuid, vendor }: Pick<ChipFacts, 'uuid' | 'vendor'>): boolean {
  if (/-node-[0-9a-f]{12}$/.test(uuid)) return true
  return ['pci', 'index', 'unattributed'].some((place) => uuid.startsWith(`${vendor}-${place}-`))
}

// Not for security: 24 hexadecimal digits tell a fleet's reports apart.
function shortHash(value: unknown): string {
  return hash('sha256', JSON.stringify(value)).slice(0, 24)
}
