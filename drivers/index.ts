import type { ChipDriver } from '@medley/fleet'
import { createAmdDriver } from './amd/driver.ts'
import { createAscendDriver } from './ascend/driver.ts'
import { createBirenDriver } from './biren/driver.ts'
import { createCambriconDriver } from './cambricon/driver.ts'
import { createCpuDriver } from './cpu/driver.ts'
import { createEnflameDriver } from './enflame/driver.ts'
import { type LoadedDrivers, loadDriversIn } from './external.ts'
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

export type { DriverKit } from './external.ts'
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
  return [...drivers, rest].map(withDetails)
}

/** What every vendor's chips get beside what its driver reads: metrics by their common names, and links. */
function withDetails(driver: ChipDriver): ChipDriver {
  const readLinks = createLinkReading(driver, () => performance.now())
  return {
    // Each by name and called on the driver itself: it may be an object of a class, whose methods no spread copies.
    name: driver.name,
    layoutVerified: driver.layoutVerified,
    domestic: driver.domestic,
    pciVendorIds: driver.pciVendorIds,
    kubernetesResources: driver.kubernetesResources,
    torchDevice: driver.torchDevice,
    collectiveLibrary: driver.collectiveLibrary,
    sheets: driver.sheets,
    ...(driver.topology === undefined ? {} : { topology: driver.topology }),
    read: async (host, pci) => readLinks(host, (await driver.read(host, pci)).map(withSensors)),
    bind: (chips) => driver.bind(chips),
    recognise: (text) => driver.recognise(text),
    parseOutput: (text, command) => driver.parseOutput(text, command),
  }
}

/**
 * The drivers in a folder, one sub-folder each with a `driver.mjs`, `driver.js` or `driver.ts` that exports
 * `createDriver(kit)`. They run with the rights of this process: the folder and all in it must be its owner's. One that
 * cannot be loaded, or that claims the PCI vendor of a driver of ours, costs nothing but itself; a folder that does not
 * exist holds none.
 *
 * @param taken names that are in use already
 */
export function loadDrivers(directory: string, taken: readonly string[]): Promise<LoadedDrivers> {
  const pciVendorIds = FACTORIES.flatMap((create) => create().pciVendorIds)
  return loadDriversIn(directory, { names: taken, pciVendorIds })
}
