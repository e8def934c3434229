import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { CliError } from '../cli-error.ts'
import { entryPath } from '../entries.ts'
import { paths } from '../settings.ts'
import { releaseLock, takeLock, writeAtomically } from './lock.ts'
import { runDirectory } from './plans.ts'
import { stopSignal } from './stop-signal.ts'
import { createSupervisor, endLeftovers, NeverReadyError } from './supervisor.ts'

const LEFTOVER_PATIENCE_MS = 40_000
const STOP_MS = 45_000
/** A server that is away for a while is no reason to give up. */
const READY_MS = 365 * 86_400_000

/** Held by the agent of a machine that is a node of another one's server. */
export function agentLock(data: string): string {
  return join(paths(data).run, 'agent-lock.json')
}

/** Runs the agent of a machine that has joined, and starts it again when it ends, until it is told to stop. */
export async function runAgent(data: string, json: boolean): Promise<void> {
  const files = paths(data)
  for (const directory of [files.run, files.logs, files.agent]) mkdirSync(directory, { recursive: true, mode: 0o700 })
  const lock = takeLock(agentLock(data), { host: '', port: 0, gatewayPort: 0 })
  if (lock.kind === 'busy')
    throw new CliError(
      5,
      `The agent of ${data} runs already (pid ${lock.owner.pid}). Stop it with Ctrl-C in its terminal.`,
    )
  const childrenFile = join(files.run, 'agent-children.json')
  const note = (text: string) => {
    if (!json) process.stderr.write(`${text}\n`)
  }
  const supervisor = createSupervisor({
    childrenFile,
    logDirectory: files.logs,
    onEvent: ({ kind, detail }) => {
      if (kind === 'ready') note('connected to the server. Stop with Ctrl-C.')
      if (kind === 'exited')
        note(`the agent ended (${detail}) and is started again; its log: ${join(files.logs, 'agent.log')}`)
    },
  })
  const stopped = stopSignal()
  try {
    await endLeftovers(childrenFile, LEFTOVER_PATIENCE_MS)
    const config = join(files.run, 'agent-alone.json')
    writeAtomically(config, JSON.stringify({ dataDirectory: files.agent, runDirectory: runDirectory(data) }, null, 2))
    const child = supervisor.start({
      name: 'agent',
      command: process.execPath,
      args: ['--enable-source-maps', '--max-old-space-size=512', '--max-semi-space-size=4', entryPath('agent')],
      env: { ...process.env, MEDLEY_AGENT_CONFIG: config, MEDLEY_JOIN_TOKEN: undefined },
      cwd: '/',
      ready: 'message',
      readyTimeoutMs: READY_MS,
      stopBy: 'message',
      stopTimeoutMs: STOP_MS,
    })
    await Promise.race([child.whenReady(), stopped.promise])
    await stopped.promise
  } catch (error) {
    if (!(error instanceof NeverReadyError)) throw error
    throw new CliError(
      1,
      `${error.message}. Its log, ${join(files.logs, 'agent.log')}, ends with:\n  ${error.lastWord ?? 'nothing'}`,
    )
  } finally {
    await supervisor.stopAll()
    releaseLock(agentLock(data))
    stopped.forget()
  }
}
