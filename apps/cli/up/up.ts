import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLocalExecutor } from '@medley/executor-local'
import { openStore, preparePostgres, type StoreConnection } from '@medley/store'
import { type ApiClient, connect } from '../api-client.ts'
import { CliError } from '../cli-error.ts'
import { type DataPaths, httpUrl, paths } from '../settings.ts'
import { createDisplay, createJsonDisplay } from './display.ts'
import { requireExternalStore } from './external-store.ts'
import { releaseLock, takeLock } from './lock.ts'
import { engineDirectory, processPlans, type StoreConfig, type UpOptions } from './plans.ts'
import { portProblem } from './ports.ts'
import { aborted, stopSignal } from './stop-signal.ts'
import { type ChildEvent, createSupervisor, endLeftovers, NeverReadyError, type Supervisor } from './supervisor.ts'
import { prepareWelcome } from './welcome.ts'

const LEFTOVER_PATIENCE_MS = 40_000
const ENGINE_GRACE_MS = 5_000

/** Starts the factory on a data directory and keeps it running until it is told to stop. */
export async function up(data: string, options: UpOptions): Promise<void> {
  const files = paths(data)
  const display = options.json ? createJsonDisplay(process.stdout) : createDisplay(process.stdout, process.env)
  makeDirectories(files)
  claim(files, options)
  const supervisor = createSupervisor({
    childrenFile: files.children,
    logDirectory: files.logs,
    onEvent: noteEnds(display.note, files.logs),
  })
  const stopped = stopSignal()
  try {
    if ((await endLeftovers(files.children, LEFTOVER_PATIENCE_MS)) > 0)
      display.note('ended what a killed factory left running')
    await requirePorts(options)
    const client = await startProcesses(files, options, supervisor, stopped.signal)
    if (client) {
      await display.follow(client, options, stopped.signal)
      if (!stopped.signal.aborted) display.welcome(await prepareWelcome(client))
    }
    await stopped.promise
    display.note('stopping: answers under way are finished first')
  } catch (error) {
    throw error instanceof NeverReadyError ? neverReady(error, files.logs) : error
  } finally {
    await supervisor.stopAll()
    // The agent takes its engines along, but it may have been killed, or may just have been starting again.
    await createLocalExecutor().reap(engineDirectory(files.data), () => false, ENGINE_GRACE_MS)
    releaseLock(files.lock)
    stopped.forget()
  }
}

function neverReady({ child, message, lastWord }: NeverReadyError, logs: string): CliError {
  return new CliError(1, `${message}. Its log, ${join(logs, `${child}.log`)}, ends with:\n  ${lastWord ?? 'nothing'}`)
}

async function startProcesses(
  files: DataPaths,
  options: UpOptions,
  supervisor: Supervisor,
  signal: AbortSignal,
): Promise<ApiClient | null> {
  const store = await startStore(files, supervisor, signal)
  if (signal.aborted) return null
  const plans = processPlans(files, options, store)
  const server = supervisor.start(plans.server)
  await Promise.race([server.whenReady(), aborted(signal)])
  if (signal.aborted) return null
  // Stopped in the reverse order: the gateway finishes its answers before the engines under the agent go.
  const agent = supervisor.start(plans.agent)
  const gateway = supervisor.start(plans.gateway)
  await Promise.race([Promise.all([gateway.whenReady(), agent.whenReady()]), aborted(signal)])
  return signal.aborted ? null : connect(files.data)
}

async function startStore(files: DataPaths, supervisor: Supervisor, signal: AbortSignal): Promise<StoreConfig> {
  if (process.env.DATABASE_URL) {
    await requireExternalStore(process.env.DATABASE_URL)
    return { kind: 'external' }
  }
  const postgres = await preparePostgres({ directory: files.postgres })
  const child = supervisor.start({
    name: 'postgres',
    command: postgres.command,
    args: postgres.args,
    env: postgres.env,
    ...(postgres.uid === undefined ? {} : { uid: postgres.uid }),
    ...(postgres.gid === undefined ? {} : { gid: postgres.gid }),
    cwd: postgres.cwd,
    ready: (given) => connects(postgres.connection, given),
    readyTimeoutMs: 60_000,
    // Fast shutdown (pg_ctl(1)): ends sessions, writes a checkpoint.
    stopBy: 'SIGINT',
    stopTimeoutMs: 30_000,
  })
  await Promise.race([child.whenReady(), aborted(signal)])
  return { kind: 'embedded', connection: { ...postgres.connection } }
}

/** Resolves when the store takes a connection, or when nobody waits for that any more. */
async function connects(connection: StoreConnection, signal: AbortSignal): Promise<void> {
  const store = openStore({ connection, maxConnections: 1 })
  try {
    while (
      !signal.aborted &&
      !(await store.ping().then(
        () => true,
        () => false,
      ))
    ) {
      await sleep(50)
    }
  } finally {
    await store.close()
  }
}

/** Says that a process ended and where to read why; the more often it does, the more seldom it is said. */
function noteEnds(note: (text: string) => void, logs: string) {
  const ends = new Map<string, number>()
  return ({ child, kind, detail }: ChildEvent) => {
    if (kind === 'not-written') note(`the list of processes cannot be written: ${detail}`)
    if (kind !== 'exited' && kind !== 'gave-up') return
    const count = (ends.get(child) ?? 0) + 1
    ends.set(child, count)
    if (![1, 3, 10, 30].includes(count) && count % 100 !== 0) return
    note(
      `${child} ended (${detail}${count > 1 ? `, ${count} times so far` : ''}) and is started again; its log: ${join(logs, `${child}.log`)}`,
    )
  }
}

function makeDirectories(files: DataPaths): void {
  try {
    for (const directory of [files.data, files.run, files.logs, files.gateway, files.agent, files.models]) {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
    }
    if (!statSync(files.data).isDirectory()) throw new Error('it is not a directory')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new CliError(
      code === 'EACCES' || code === 'EPERM' ? 4 : 1,
      `Cannot use the data directory ${files.data}: ${(error as Error).message}. Choose another with --data DIR.`,
    )
  }
}

function claim(files: DataPaths, { host, port, gatewayPort }: UpOptions): void {
  const lock = takeLock(files.lock, { host, port, gatewayPort })
  if (lock.kind === 'taken') return
  const { owner } = lock
  throw new CliError(
    5,
    `A factory already runs on ${files.data} (pid ${owner.pid}, console ${httpUrl(owner.host, owner.port)}). ` +
      'Use it, stop it with Ctrl-C in its terminal, or start another one with --data DIR --port N.',
  )
}

async function requirePorts({ host, port, gatewayPort }: UpOptions): Promise<void> {
  for (const wanted of [port, gatewayPort]) {
    const problem = await portProblem(host, wanted)
    if (!problem) continue
    const why = {
      taken: `Port ${wanted} is taken by another program`,
      'not-allowed': `This user may not listen on port ${wanted}`,
      'no-such-address': `This machine has no address ${host}`,
    }[problem]
    const other = port === 7070 ? 7170 : 7070
    throw new CliError(
      5,
      `${why}. Start on another port: npm start -- --port ${other} (the gateway takes the next one, ${other + 1}).`,
    )
  }
}
