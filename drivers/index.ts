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
import { createMetaxDriver } from './metax/driver.ts'
import { createMthreadsDriver } from './mthreads/driver.ts'
import { createNvidiaDriver } from './nvidia/driver.ts'
import { createTheadDriver } from './thead/driver.ts'
import { createTsingmicroDriver } from './tsingmicro/driver.ts'
import { createUnknownDriver } from './unknown/driver.ts'
import { createVastaiDriver } from './vastai/driver.ts'

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

/** Fresh drivers; each keeps what it last saw (ticks, lost cards), so one set belongs to one agent. */
export function createDrivers(): readonly ChipDriver[] {
  const drivers = FACTORIES.map((create) => create())
  // Last, for it shows what no other claims.
  return [...drivers, createUnknownDriver(new Set(drivers.flatMap((driver) => driver.pciVendorIds)))]
}
