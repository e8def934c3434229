import type { ChipObservation } from './observation.ts'

/** The driver version that is usual for chips like this one; null: none is. */
export type UsualDriver = (chip: ChipObservation) => string | null

interface Group {
  readonly versions: Map<string, number>
  usual: string | null
}

export const NO_USUAL_DRIVER: UsualDriver = () => null

/**
 * The version that more chips of a product run than any other; products in which two versions lead alike have none. A
 * chip that is not there has no driver that could be counted, and simulated chips are a fleet of their own.
 */
export function usualDrivers(chips: Iterable<ChipObservation>): UsualDriver {
  // Maps within maps, for a key put together would be made anew for every chip of every evaluation.
  const real = new Map<string, Map<string, Group>>()
  const simulated = new Map<string, Map<string, Group>>()
  for (const chip of chips) {
    if (chip.driverVersion === null || chip.state === 'absent') continue
    const { versions } = groupIn(chip.simulated ? simulated : real, chip)
    versions.set(chip.driverVersion, (versions.get(chip.driverVersion) ?? 0) + 1)
  }
  for (const products of [...real.values(), ...simulated.values()]) {
    for (const group of products.values()) group.usual = leader(group.versions)
  }
  return ({ vendor, product, simulated: unreal }) =>
    (unreal ? simulated : real).get(vendor)?.get(product)?.usual ?? null
}

function groupIn(vendors: Map<string, Map<string, Group>>, { vendor, product }: ChipObservation): Group {
  const products = vendors.get(vendor) ?? new Map<string, Group>()
  const group = products.get(product) ?? { versions: new Map(), usual: null }
  vendors.set(vendor, products.set(product, group))
  return group
}

function leader(versions: ReadonlyMap<string, number>): string | null {
  const [first, second] = [...versions].sort(([, left], [, right]) => right - left)
  return first && first[1] !== second?.[1] ? first[0] : null
}
