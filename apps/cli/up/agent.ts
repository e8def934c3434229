import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { LauncherEvent } from '@medley/agent'
import { CliError } from '../cli-error.ts'
import { entryPath } from '../entries.ts'
import { paths } from '../settings.ts'
import { releaseLock, takeLock, writeAtomically } from './lock.ts'
import { openLogFile } from './log-file.ts'
import { runDirectory } from './plans.ts'
import { stopSignal } from './stop-signal.ts'

/** Held by the agent of a machine that is a node of another one's server. */
export function agentLock(data: string): string {
  return join(paths(data).run, 'agent-lock.json')
}

/**
 * Runs the agent of a machine that has joined, in the version it has fetched, until it is told to stop.
 *
 * @throws CliError with exit code 4 when the server will never take this node again, 5 when its agent runs already
 */
export async function runAgent(data: string, json: boolean): Promise<void> {
  const { startLauncher } = await import('@medley/agent')
  const files = paths(data)
  for (const directory of [files.run, files.logs, files.agent]) mkdirSync(directory, { recursive: true, mode: 0o700 })
  const lock = takeLock(agentLock(data), { host: '', port: 0, gatewayPort: 0 })
  if (lock.kind === 'busy')
    throw new CliError(
      5,
      `The agent of ${data} runs already (pid ${lock.owner.pid}). Stop it with Ctrl-C in its terminal.`,
    )
  // A token that joined this machine is no business of the agent and what it starts.
  delete process.env.MEDLEY_JOIN_TOKEN
  const stopped = stopSignal()
  const logFile = join(files.logs, 'agent.log')
  try {
    const configFile = join(files.run, 'agent-alone.json')
    writeAtomically(configFile, JSON.stringify({ dataDirectory: files.agent, runDirectory: runDirectory(data) }))
    const launcher = startLauncher({
      program: entryPath('agent'),
      configFile,
      dataDirectory: files.agent,
      output: openLogFile(logFile),
      onEvent: (event) => tell(event, logFile, json),
    })
    const end = await Promise.race([launcher.done, stopped.promise])
    await launcher.stop()
    if (typeof end === 'number' && end !== 0)
      throw new CliError(
        4,
        `The server no longer takes this node. After a revocation, empty the agent’s folder (${files.agent}) and join as a new node with a new token: medley agent join URL`,
      )
  } finally {
    releaseLock(agentLock(data))
    stopped.forget()
  }
}

function tell(event: LauncherEvent, logFile: string, json: boolean): void {
  if (json) return void process.stdout.write(`${JSON.stringify(event)}\n`)
  const version = event.version === null ? '' : ` ${event.version}`
  const text = {
    started: null,
    ready: `the agent${version} is connected to the server. Stop with Ctrl-C.`,
    ended: 'reason' in event ? `the agent${version} ended (${event.reason}); its log: ${logFile}` : null,
    'rolled-back': `version${version} did not work here and was given up`,
  }[event.kind]
  if (text !== null) process.stderr.write(`${text}\n`)
}
