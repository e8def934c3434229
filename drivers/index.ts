import type { ChipDriver } from '@medley/fleet'
import { createAmdDriver } from './amd/driver.ts'
import { createAscendDriver } from './ascend/driver.ts'
import { createBirenDriver } from './biren/driver.ts'
import { createCambriconDriver } from './cambricon/driver.ts'
import { createCpuDriver } from './cpu/driver.ts'
import { createEnflameDriver } from './enflame/driver.ts'
import { createGaudiDriver } from './gaudi/driver.ts'
import { createHygonDriver } from './hygon/driver.ts'
import { createIluvatarDriver } from './iluvatar/driver.ts'
import { createIntelDriver } from './intel/driver.ts'
import { createKunlunxinDriver } from './kunlunxin/driver.ts'
import { createLinkReading } from './links.ts'
import { createMetaxDriver } from './metax/driver.ts'
import { createMthreadsDriver } from './mthreads/driver.ts'
import { createNvidiaDriver } from './nvidia/driver.ts'
import { withSensors } from './sensors.ts'
import { createTheadDriver } from './thead/driver.ts'
import { createTsingmicroDriver } from './tsingmicro/driver.ts'
import { createUnknownDriver } from './unknown/driver.ts'
import { createVastaiDriver } from './vastai/driver.ts'

export { type DriverKit, loadDrivers } from './external.ts'
export { type HealthReason, type HealthReasonCode, healthReasons } from './reasons.ts'
export { parseSavedOutput, type SavedChip, type SavedOutput } from './saved-output.ts'

/** One factory per folder here: a further vendor is a further folder and a further line. */
const FACTORIES: readonly (() => ChipDriver)[] = [
  createCpuDriver,
  createAscendDriver,
  createNvidiaDriver,
  createMthreadsDriver,
  createKunlunxinDriver,
  createIluvatarDriver,
  createHygonDriver,
  createCambriconDriver,
  createAmdDriver,
  createBirenDriver,
  createEnflameDriver,
  createGaudiDriver,
  createIntelDriver,
  createMetaxDriver,
  createTheadDriver,
  createTsingmicroDriver,
  createVastaiDriver,
]

/**
 * Fresh drivers; each keeps what it last saw (ticks, lost cards), so one set belongs to one agent. `further` are those
 * of vendors that are not in this folder, see {@link loadDrivers}.
 */
export function createDrivers(further: readonly ChipDriver[] = []): readonly ChipDriver[] {
  const drivers = [...FACTORIES.map((create) => create()), ...further]
  // Last, for it shows what no other claims.
  const rest = createUnknownDriver(new Set(drivers.flatMap((driver) => driver.pciVendorIds)))
  return [...drivers, rest].map((driver) => withDetails(driver, Date.now))
}

/** What every vendor's chips get beside what its driver reads: metrics by their common names, and links. */
function withDetails(driver: ChipDriver, now: () => number): ChipDriver {
  const readLinks = createLinkReading(driver, now)
  return { ...driver, read: async (host, pci) => readLinks(host, (await driver.read(host, pci)).map(withSensors)) }
}
