import type { ChipObservation } from './observation.ts'

/** Chips of one product that ought to run the same driver; simulated ones are a fleet of their own. */
export function driverGroup(chip: ChipObservation): string {
  return `${chip.vendor}\u0000${chip.product}\u0000${chip.simulated}`
}

/**
 * The driver version that more chips of a product run than any other; products in which two versions lead alike have
 * none. A chip that is not there has no driver that could be counted.
 */
export function usualDrivers(chips: Iterable<ChipObservation>): ReadonlyMap<string, string> {
  const counts = new Map<string, Map<string, number>>()
  for (const chip of chips) {
    if (chip.driverVersion === null || chip.state === 'absent') continue
    const group = driverGroup(chip)
    const versions = counts.get(group) ?? new Map<string, number>()
    counts.set(group, versions.set(chip.driverVersion, (versions.get(chip.driverVersion) ?? 0) + 1))
  }
  const usual = new Map<string, string>()
  for (const [group, versions] of counts) {
    const [first, second] = [...versions].sort(([, left], [, right]) => right - left)
    if (first && first[1] !== second?.[1]) usual.set(group, first[0])
  }
  return usual
}
