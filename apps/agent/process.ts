import { readFile } from 'node:fs/promises'
import type { AgentUpgrade } from '@medley/enrolment/protocol'
import { type Agent, type AgentParts, startAgent } from './agent.ts'
import { type AgentConfig, agentConfig } from './config.ts'
import { installUpgrade, modulesOf } from './upgrade/install.ts'
import { EXIT_REFUSED, EXIT_UPGRADED, isResting, readPointer, switchTo, versionsDirectory } from './upgrade/versions.ts'
import { AGENT_VERSION } from './version.ts'
import { messageOf } from './workloads/managed.ts'

/** The package whose place tells where the natives of this installation lie. */
const NATIVE = 'node-llama-cpp'

export interface AgentProgram {
  /** Path of the program itself. */
  readonly file: string
  /** Of the program; that of this source when left out. */
  readonly version?: string
  readonly parts: (config: AgentConfig) => Promise<Pick<AgentParts, 'drivers' | 'adapters' | 'prove'>>
}

type Leave = 'drain' | 'release'

/** One JSON line per event on standard error; whoever started the agent keeps them. */
export function log(event: string, fields: Readonly<Record<string, unknown>>): void {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), process: 'agent', event, ...fields })}\n`)
}

/**
 * An agent as a process of its own: configured by `MEDLEY_AGENT_CONFIG`, told to leave by messages and signals, and
 * under a launcher (`MEDLEY_AGENT_LAUNCHED`) able to make way for a newer version of itself.
 */
export function runAgentProcess(program: AgentProgram): void {
  run(program).catch((error: unknown) => {
    log('agent failed', { message: messageOf(error) })
    process.exit(1)
  })
}

async function run(program: AgentProgram): Promise<void> {
  // A supervisor that died takes the other end of the pipes with it.
  process.stderr.on('error', () => undefined)
  process.stdout.on('error', () => undefined)
  const configFile = process.env.MEDLEY_AGENT_CONFIG
  if (!configFile) throw new Error('MEDLEY_AGENT_CONFIG must name the configuration file')
  const config = agentConfig.parse(JSON.parse(await readFile(configFile, 'utf8')))
  const supervised = process.connected === true
  const version = program.version ?? AGENT_VERSION

  const agent = Promise.withResolvers<Agent>()
  let leaving = false
  const leave = async (how: Leave, code = 0): Promise<void> => {
    if (leaving) return
    leaving = true
    log('leaving', { how, code })
    // Also while it starts: what it has begun by then must not be left behind.
    const started = await agent.promise
    if (how === 'drain') await started.drain()
    else started.release()
    process.exit(code)
  }
  listen(leave, supervised)

  const upgrader = createUpgrader(config, program.file, version, () => leave('release', EXIT_UPGRADED))
  startAgent(config, {
    ...(await program.parts(config)),
    version,
    log,
    // With a callback, a supervisor that has just died makes no exception here: its loss is told by `disconnect`.
    onFirstSync: () => process.send?.({ type: 'ready' }, () => undefined),
    onUpgrade: upgrader,
    // A revoked node's engines answer nobody any more. In doubt they are left: they end by themselves if nobody comes.
    onRefused: (code) => void leave(code.endsWith('revoked') ? 'drain' : 'release', EXIT_REFUSED),
  }).then(agent.resolve, agent.reject)
  if (supervised && !process.connected) await leave('release')
  await agent.promise
}

function listen(leave: (how: Leave) => Promise<void>, supervised: boolean): void {
  process.on('message', (message: unknown) => {
    if (typeof message === 'object' && message !== null && 'type' in message && message.type === 'shutdown')
      void leave('drain')
  })
  // A lost supervisor or a plain stop leaves engines to the next agent; only a shutdown of the whole takes them along.
  process.on('disconnect', () => void leave('release'))
  process.on('SIGTERM', () => void leave(process.env.MEDLEY_AGENT_DRAIN_ON_SIGTERM === '1' ? 'drain' : 'release'))
  // Ctrl-C reaches the whole terminal group: what then happens is the supervisor's to say.
  process.on('SIGINT', () => {
    if (!supervised) void leave('drain')
  })
}

/** Only under a launcher: the factory's own agent is upgraded with the factory. */
function createUpgrader(
  { dataDirectory }: AgentConfig,
  file: string,
  running: string,
  makeWay: () => Promise<void>,
): NonNullable<AgentParts['onUpgrade']> {
  const directory = versionsDirectory(dataDirectory)
  let busy = false
  const upgradeTo = async (
    upgrade: AgentUpgrade,
    server: { readonly serverUrl: string; readonly instanceKey: string },
  ): Promise<void> => {
    if (isResting(await readPointer(directory), upgrade.version, Date.now()))
      return log('upgrade put off: this version has just failed here', { version: upgrade.version })
    await installUpgrade(upgrade, { ...server, directory, modules: await modulesOf(file, NATIVE) })
    await switchTo(directory, upgrade.version)
    await makeWay()
  }
  return (upgrade, server) => {
    if (process.env.MEDLEY_AGENT_LAUNCHED !== '1' || busy || upgrade.version === running) return
    busy = true
    log('upgrading', { from: running, to: upgrade.version })
    upgradeTo(upgrade, server)
      .catch((error: unknown) => log('upgrade failed', { version: upgrade.version, message: messageOf(error) }))
      .finally(() => {
        busy = false
      })
  }
}
