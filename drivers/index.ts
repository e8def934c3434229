import type { ChipDriver } from '@medley/fleet'
import { createAscendDriver } from './ascend/driver.ts'
import { createCpuDriver } from './cpu/driver.ts'
import { createNvidiaDriver } from './nvidia/driver.ts'

export { type HealthReason, type HealthReasonCode, healthReasons } from './reasons.ts'

/** One factory per folder here: a further vendor is a further folder and a further line. */
const FACTORIES: readonly (() => ChipDriver)[] = [createCpuDriver, createAscendDriver, createNvidiaDriver]

/** Fresh drivers; each keeps what it last saw (ticks, lost cards), so one set belongs to one agent. */
export function createDrivers(): readonly ChipDriver[] {
  return FACTORIES.map((create) => create())
}
