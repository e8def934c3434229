import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDrivers, loadDrivers } from '@medley/drivers'
import { createLlamaCppAdapter } from '@medley/engine-llama-cpp'
import type { ChipDriver } from '@medley/fleet'
import type { AgentConfig } from './config.ts'
import { log, runAgentProcess } from './process.ts'
import type { WorkloadDeps } from './workloads/managed.ts'

/** Loaded at the first run only: the probe's libraries would double the memory of an agent that never proves. */
const prove: WorkloadDeps['prove'] = async (spec, deps) => {
  const { runQuickProving } = await import('@medley/proving')
  return runQuickProving(spec, deps)
}

/** The built-in drivers, and those an operator has put beside them. */
async function allDrivers({ driversDirectory, dataDirectory }: AgentConfig): Promise<readonly ChipDriver[]> {
  const directory = process.env.MEDLEY_DRIVERS ?? driversDirectory ?? path.join(dataDirectory, 'drivers.d')
  const taken = createDrivers().map(({ name }) => name)
  const { drivers, failures } = await loadDrivers(directory, taken)
  for (const failure of failures) log('driver not loaded', { directory, ...failure })
  return createDrivers(drivers)
}

runAgentProcess({
  file: fileURLToPath(import.meta.url),
  parts: async (config) => ({
    drivers: await allDrivers(config),
    adapters: new Map([createLlamaCppAdapter()].map((adapter) => [adapter.family, adapter])),
    prove,
  }),
})
