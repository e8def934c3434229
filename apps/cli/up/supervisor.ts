import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { writeAtomically } from './lock.ts'
import { type LogFile, openLogFile } from './log-file.ts'
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts'

export interface ChildPlan {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly uid?: number
  readonly gid?: number
  /** How one knows that it works: a message over IPC, or a probe that resolves; its signal calls the probe off. */
  readonly ready: 'message' | ((signal: AbortSignal) => Promise<void>)
  readonly readyTimeoutMs: number
  /**
   * `shutdown` over IPC tells an ordered stop of the whole from any other end: the agent then ends its engines too,
   * which it otherwise leaves to its successor. A signal beside it could be read first.
   */
  readonly stopBy: NodeJS.Signals | 'message'
  readonly stopTimeoutMs: number
}

export interface ChildEvent {
  readonly child: string
  readonly kind: 'started' | 'ready' | 'exited' | 'gave-up' | 'not-written'
  readonly detail: string
}

export interface SupervisedChild {
  readonly name: string
  readonly restarts: number
  readonly pid: number | null
  /**
   * Resolves when it is ready for the first time.
   *
   * @throws NeverReadyError when it ended so often before that, that starting it again makes no sense.
   */
  whenReady(): Promise<void>
  stop(): Promise<void>
}

const FIRST_BACKOFF_MS = 200
const LONGEST_BACKOFF_MS = 10_000
const HEALTHY_AFTER_MS = 30_000
const LAST_WORDS_MS = 500
const HOPELESS_ENDS = 5
const HOPELESS_WITHIN_MS = 30_000

/** A process that never became ready and ended again and again, with the last it said. */
export class NeverReadyError extends Error {
  readonly child: string
  readonly lastWord: string | null

  constructor(child: string, ends: number, reason: string, lastWord: string | null) {
    super(`${child} ended ${ends} times before it was ready (${reason})`)
    this.name = 'NeverReadyError'
    this.child = child
    this.lastWord = lastWord
  }
}

const childrenFile = z.array(z.object({ name: z.string(), pid: z.number().int(), startTicks: z.string().nullable() }))

export interface Supervisor {
  start(plan: ChildPlan): SupervisedChild
  stopAll(): Promise<void>
}

/**
 * Keeps a set of processes alive: each is restarted with exponential back-off until it is told to stop. Writes down
 * who they are, so that the next `up` can end what a killed one left behind.
 */
export function createSupervisor(options: {
  childrenFile: string
  logDirectory: string
  onEvent: (event: ChildEvent) => void
}): Supervisor {
  mkdirSync(options.logDirectory, { recursive: true, mode: 0o700 })
  const living = new Map<string, ProcessIdentity>()
  const children: (SupervisedChild & { stop(): Promise<void> })[] = []
  const remember = () => {
    try {
      writeAtomically(options.childrenFile, JSON.stringify([...living].map(([name, who]) => ({ name, ...who }))))
    } catch (error) {
      // A full disk must not cost a process that runs; the list is written again with the next start.
      options.onEvent({ child: 'up', kind: 'not-written', detail: String(error) })
    }
  }

  return {
    start(plan) {
      const log = openLogFile(join(options.logDirectory, `${plan.name}.log`))
      const child = superviseOne(plan, log, {
        started(identity) {
          living.set(plan.name, identity)
          remember()
        },
        event: options.onEvent,
      })
      children.push(child)
      return child
    },
    async stopAll() {
      for (const child of [...children].reverse()) await child.stop()
      living.clear()
      remember()
    },
  }
}

function superviseOne(
  plan: ChildPlan,
  log: LogFile,
  hooks: {
    started: (identity: ProcessIdentity) => void
    event: (event: ChildEvent) => void
  },
): SupervisedChild {
  let current: ChildProcess | null = null
  const stopping = new AbortController()
  let restarts = 0
  const firstReady = Promise.withResolvers<void>()
  // Told even when nobody waits for it any more.
  firstReady.promise.catch(() => undefined)
  let wasReady = false
  let drained = Promise.resolve()
  const earlyEnds: number[] = []

  async function runOnce(): Promise<string> {
    log.forget()
    const child = spawn(plan.command, plan.args, {
      env: plan.env,
      cwd: plan.cwd,
      // Ctrl-C in a terminal reaches its whole process group; only this process shall hear it and stop the rest in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', ...(plan.ready === 'message' ? (['ipc'] as const) : [])],
      ...(plan.uid === undefined ? {} : { uid: plan.uid }),
      ...(plan.gid === undefined ? {} : { gid: plan.gid }),
    })
    current = child
    child.stdout?.pipe(log, { end: false })
    child.stderr?.pipe(log, { end: false })
    const exited = new Promise<string>((resolve) => {
      // Also told of a message to one that has just gone, which ends nothing.
      child.on('error', (error) => {
        if (child.pid === undefined) resolve(error.message)
      })
      child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`))
    })
    drained = new Promise((resolve) => child.once('close', () => resolve()))
    if (child.pid !== undefined) hooks.started(identify(child.pid))
    hooks.event({ child: plan.name, kind: 'started', detail: String(child.pid) })
    await waitUntilReady(child, exited)
    const reason = await exited
    current = null
    if (!stopping.signal.aborted) hooks.event({ child: plan.name, kind: 'exited', detail: reason })
    return reason
  }

  /** Whether it ended so often before it was ever ready that another start would change nothing. */
  function isHopeless(): boolean {
    if (wasReady) return false
    const now = performance.now()
    earlyEnds.push(now)
    return earlyEnds.filter((ended) => now - ended < HOPELESS_WITHIN_MS).length >= HOPELESS_ENDS
  }

  async function waitUntilReady(child: ChildProcess, exited: Promise<string>): Promise<void> {
    const over = new AbortController()
    const ready =
      plan.ready === 'message'
        ? new Promise<void>((resolve) => {
            child.on('message', (message) => {
              if (typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready')
                resolve()
            })
          })
        : plan.ready(over.signal)
    const late = sleep(plan.readyTimeoutMs, 'late' as const, { ref: false })
    const gone = exited.then(() => 'gone' as const)
    const first = await Promise.race([ready, late, gone])
    over.abort()
    if (first === 'gone') return
    if (first === 'late') {
      hooks.event({ child: plan.name, kind: 'gave-up', detail: `not ready after ${plan.readyTimeoutMs / 1000} s` })
      child.kill('SIGKILL')
      return
    }
    hooks.event({ child: plan.name, kind: 'ready', detail: String(child.pid) })
    wasReady = true
    firstReady.resolve()
  }

  const loop = (async () => {
    let backoffMs = FIRST_BACKOFF_MS
    while (!stopping.signal.aborted) {
      const startedAt = performance.now()
      const reason = await runOnce().catch((error: unknown) => {
        hooks.event({ child: plan.name, kind: 'exited', detail: String(error) })
        return String(error)
      })
      if (stopping.signal.aborted) break
      if (isHopeless()) {
        // Its last words may still be in the pipe.
        await Promise.race([drained, sleep(LAST_WORDS_MS)])
        firstReady.reject(new NeverReadyError(plan.name, earlyEnds.length, reason, log.lastWord()))
        break
      }
      restarts += 1
      if (performance.now() - startedAt > HEALTHY_AFTER_MS) backoffMs = FIRST_BACKOFF_MS
      await sleep(backoffMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS)
    }
  })()

  return {
    name: plan.name,
    get restarts() {
      return restarts
    },
    get pid() {
      return current?.pid ?? null
    },
    whenReady: () => firstReady.promise,
    async stop() {
      stopping.abort()
      const child = current
      if (child) {
        if (plan.stopBy !== 'message') child.kill(plan.stopBy)
        else if (child.connected) child.send({ type: 'shutdown' }, () => {})
        const finished = await Promise.race([loop, sleep(plan.stopTimeoutMs, 'late' as const, { ref: false })])
        if (finished === 'late') child.kill('SIGKILL')
      }
      await loop
      log.end()
    },
  }
}

/**
 * Ends what a killed `up` left running. Its children see their parent's pipe close and go by themselves, draining
 * what they answer; those that do not go in time are killed.
 */
export async function endLeftovers(file: string, patienceMs: number): Promise<number> {
  let listed: z.infer<typeof childrenFile>
  try {
    listed = childrenFile.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return 0
  }
  const left = listed.filter(isAlive)
  for (const child of left) end(child.pid, child.name === 'postgres' ? 'SIGINT' : 'SIGTERM')
  const deadline = performance.now() + patienceMs
  while (left.some(isAlive) && performance.now() < deadline) await sleep(50)
  for (const child of left.filter(isAlive)) end(child.pid, 'SIGKILL')
  return left.length
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It went by itself between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
