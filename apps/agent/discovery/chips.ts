import type { ChipDriver, DriverHost } from '@medley/fleet'
import { type ChipFacts, chipFacts } from '@medley/fleet/protocol'
import { readPci } from './pci.ts'

/**
 * Every chip of the machine by all drivers at once. A driver that breaks its promise (throws, hands out nonsense)
 * loses its own chips for this round, never another vendor's.
 */
export async function readChips(
  host: DriverHost,
  drivers: readonly ChipDriver[],
  onBroken: (driver: string, error: unknown) => void,
): Promise<readonly ChipFacts[]> {
  const pci = await readPci(host)
  const read = await Promise.all(
    drivers.map(async (driver) => {
      try {
        const own = pci.filter((func) => driver.pciVendorIds.includes(func.vendorId))
        const chips = await driver.read(host, own)
        return chips.map((chip) => chipFacts.parse(chip))
      } catch (error) {
        onBroken(driver.name, error)
        return []
      }
    }),
  )
  return read.flat()
}
