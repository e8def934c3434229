import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { createDrivers, loadDrivers } from '@medley/drivers'
import { createLlamaCppAdapter } from '@medley/engine-llama-cpp'
import type { ChipDriver } from '@medley/fleet'
import { startAgent } from './agent.ts'
import { type AgentConfig, agentConfig } from './config.ts'
import { messageOf, type WorkloadDeps } from './workloads/managed.ts'

/** One JSON line per event on standard error; the supervisor keeps them. */
function log(event: string, fields: Readonly<Record<string, unknown>>): void {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), process: 'agent', event, ...fields })}\n`)
}

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

async function main(): Promise<void> {
  // A supervisor that died takes the other end of the pipes with it.
  process.stderr.on('error', () => undefined)
  process.stdout.on('error', () => undefined)
  const configFile = process.env.MEDLEY_AGENT_CONFIG
  if (!configFile) throw new Error('MEDLEY_AGENT_CONFIG must name the configuration file')
  const config = agentConfig.parse(JSON.parse(await readFile(configFile, 'utf8')))
  const supervised = process.connected === true
  const starting = startAgent(config, {
    drivers: await allDrivers(config),
    adapters: new Map([createLlamaCppAdapter()].map((adapter) => [adapter.family, adapter])),
    prove,
    log,
    // With a callback, a supervisor that has just died makes no exception here: its loss is told by `disconnect`.
    onFirstSync: () => process.send?.({ type: 'ready' }, () => undefined),
  })

  let leaving = false
  const leave = async (drain: boolean): Promise<void> => {
    if (leaving) return
    leaving = true
    log('leaving', { drain })
    // Also while it starts: what it has begun by then must not be left behind.
    const agent = await starting
    if (drain) await agent.drain()
    else agent.release()
    process.exit(0)
  }
  process.on('message', (message: unknown) => {
    if (typeof message === 'object' && message !== null && 'type' in message && message.type === 'shutdown') {
      void leave(true)
    }
  })
  // A lost supervisor or a plain stop leaves engines to the next agent; only a shutdown of the whole takes them along.
  process.on('disconnect', () => void leave(false))
  process.on('SIGTERM', () => void leave(process.env.MEDLEY_AGENT_DRAIN_ON_SIGTERM === '1'))
  // Ctrl-C reaches the whole terminal group: what then happens is the supervisor's to say.
  process.on('SIGINT', () => {
    if (!supervised) void leave(true)
  })
  if (supervised && !process.connected) await leave(false)
  await starting
}

main().catch((error: unknown) => {
  log('agent failed', { message: messageOf(error) })
  process.exit(1)
})
