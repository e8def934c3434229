import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import {
  EXIT_REFUSED,
  EXIT_UPGRADED,
  entryOf,
  readPointer,
  rollBack,
  settle,
  type VersionPointer,
  versionsDirectory,
} from './upgrade/versions.ts'
import { AGENT_NODE_FLAGS } from './version.ts'

/** Starts in a row of a version on trial that end before the server welcomed it. */
const TRIES_ON_TRIAL = 3

export interface LauncherOptions {
  /** The agent's program as installed; what runs while no newer version was fetched. */
  readonly program: string
  /** JSON of `agentConfig`. */
  readonly configFile: string
  /** The same as in the configuration. */
  readonly dataDirectory: string
  /** Where the agent's log lines go. */
  readonly output: Writable
  readonly onEvent: (event: LauncherEvent) => void
  readonly limits?: Partial<LauncherLimits>
}

export type LauncherEvent =
  | { readonly kind: 'started'; readonly version: string | null; readonly pid: number }
  | { readonly kind: 'ready'; readonly version: string | null }
  | { readonly kind: 'ended'; readonly version: string | null; readonly reason: string }
  | { readonly kind: 'rolled-back'; readonly version: string }

export interface LauncherLimits {
  /** Within which a new version must be welcomed by the server. */
  readonly trialMs: number
  readonly firstBackoffMs: number
  readonly longestBackoffMs: number
  /** Running this long forgives all failures before. */
  readonly healthyMs: number
  readonly stopMs: number
}

const LIMITS: LauncherLimits = {
  trialMs: 120_000,
  firstBackoffMs: 1_000,
  longestBackoffMs: 30_000,
  healthyMs: 60_000,
  stopMs: 45_000,
}

export interface Launcher {
  /** 0 after a stop; `EXIT_REFUSED` when the server will never take this node again. */
  readonly done: Promise<number>
  /** Ends the agent and its engines. */
  stop(): Promise<void>
}

interface Run {
  readonly pointer: VersionPointer
  readonly code: number | null
  readonly reason: string
  readonly ready: boolean
  readonly ranMs: number
}

/**
 * Keeps the agent of a node running, and its version right: one that asks for it is replaced by the version it has
 * fetched, and a fetched one that the server does not welcome in time, or that ends again and again before that, is
 * given up for the one before. Engines run on meanwhile and are adopted.
 */
export function startLauncher(options: LauncherOptions): Launcher {
  const limits = { ...LIMITS, ...options.limits }
  const directory = versionsDirectory(options.dataDirectory)
  const stopping = new AbortController()
  let child: ChildProcess | null = null

  const runOnce = async (): Promise<Run> => {
    const pointer = await readPointer(directory)
    const { version } = pointer
    const program = version === null ? options.program : entryOf(directory, version)
    const started = performance.now()
    const running = spawn(process.execPath, ['--enable-source-maps', ...AGENT_NODE_FLAGS, program], {
      env: { ...process.env, MEDLEY_AGENT_CONFIG: options.configFile, MEDLEY_AGENT_LAUNCHED: '1' },
      // Ctrl-C reaches a whole terminal group: only the launcher shall hear it.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    child = running
    running.stdout?.pipe(options.output, { end: false })
    running.stderr?.pipe(options.output, { end: false })
    running.on('error', () => undefined)
    let ready = false
    running.on('message', (message: unknown) => {
      if (typeof message !== 'object' || message === null || !('type' in message) || message.type !== 'ready') return
      ready = true
      void settle(directory).catch(() => undefined)
      options.onEvent({ kind: 'ready', version })
    })
    const exit = ended(running)
    if (running.pid !== undefined) options.onEvent({ kind: 'started', version, pid: running.pid })
    // A stop that came while the pointer was read has found nobody to tell.
    if (stopping.signal.aborted) tell(running)
    const trial = setTimeout(() => {
      if (pointer.onTrial && !ready) void terminate(running, limits.stopMs)
    }, limits.trialMs)
    const [code, signal] = await exit
    clearTimeout(trial)
    child = null
    const reason = signal ?? `exit ${code}`
    options.onEvent({ kind: 'ended', version, reason })
    return { pointer, code, reason, ready, ranMs: performance.now() - started }
  }

  const giveUp = async (): Promise<void> => {
    const version = await rollBack(directory, Date.now())
    if (version !== null) options.onEvent({ kind: 'rolled-back', version })
  }

  const keep = async (): Promise<number> => {
    let failures = 0
    while (!stopping.signal.aborted) {
      const run = await runOnce()
      if (stopping.signal.aborted) break
      if (run.code === EXIT_REFUSED) return EXIT_REFUSED
      const next = await readPointer(directory)
      if (run.code === EXIT_UPGRADED && next.version !== run.pointer.version) {
        failures = 0
        continue
      }
      failures = run.ranMs > limits.healthyMs ? 1 : failures + 1
      if (hasFailedTrial(run, failures)) {
        await giveUp()
        failures = 0
      } else await pause(Math.min(limits.longestBackoffMs, limits.firstBackoffMs * 2 ** Math.min(failures - 1, 20)))
    }
    return 0
  }

  const hasFailedTrial = (run: Run, failures: number): boolean =>
    run.pointer.onTrial && !run.ready && (run.ranMs >= limits.trialMs || failures >= TRIES_ON_TRIAL)

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      stopping.signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer)
          resolve()
        },
        { once: true },
      )
    })

  const done = keep()
  return {
    done,
    stop: async () => {
      stopping.abort()
      const running = child
      if (running) {
        tell(running)
        const late = setTimeout(() => running.kill('SIGKILL'), limits.stopMs)
        await ended(running)
        clearTimeout(late)
      }
      await done
    },
  }
}

function tell(running: ChildProcess): void {
  if (running.connected) running.send({ type: 'shutdown' }, () => undefined)
}

/** Without its engines: the version before adopts them. */
async function terminate(running: ChildProcess, patienceMs: number): Promise<void> {
  running.kill('SIGTERM')
  const late = setTimeout(() => running.kill('SIGKILL'), Math.min(10_000, patienceMs))
  await ended(running)
  clearTimeout(late)
}

async function ended(running: ChildProcess): Promise<readonly [number | null, NodeJS.Signals | null]> {
  if (running.exitCode !== null || running.signalCode !== null) return [running.exitCode, running.signalCode]
  if (running.pid === undefined) return [1, null]
  const [code, signal] = await once(running, 'exit')
  return [code, signal]
}
