import { join } from 'node:path'
import { createDrivers, loadDrivers } from '@medley/drivers'
import type { ChipDriver } from '@medley/fleet'
import { createCapacityStore } from '@medley/supply'
import { type CapacityBook, createCapacityBook } from './capacity.ts'
import type { Base } from './compose-base.ts'
import type { FleetParts } from './compose-fleet.ts'
import type { Models } from './compose-models.ts'
import { createVendors, type Vendors } from './vendors.ts'

export interface SupplyParts {
  readonly vendors: Vendors
  readonly capacity: CapacityBook
}

/** One point is kept per hour; more often, so that a server that is restarted often still has one. */
const SNAPSHOT_MS = 10 * 60_000

/** What the makers promise and what is measured of it. */
export async function composeSupply(base: Base, models: Models, { index }: FleetParts): Promise<SupplyParts> {
  const { clock, clockwork } = base
  const store = createCapacityStore(base)
  const drivers = await allDrivers(base)
  const capacity = createCapacityBook({ index, proving: models.proving, store, drivers, clock })
  clockwork.every(SNAPSHOT_MS, 'capacity', () => capacity.snapshot())
  return { vendors: createVendors({ store, drivers }), capacity }
}

/** The built-in ones, and those an operator has put beside them for the agent of this machine. */
async function allDrivers({ config, env, log }: Base): Promise<readonly ChipDriver[]> {
  const directory = env.MEDLEY_DRIVERS ?? join(config.dataDirectory, 'drivers.d')
  const { drivers, failures } = await loadDrivers(
    directory,
    createDrivers().map(({ name }) => name),
  )
  for (const failure of failures) log.warn({ directory, ...failure }, 'a driver could not be loaded')
  return createDrivers(drivers)
}
