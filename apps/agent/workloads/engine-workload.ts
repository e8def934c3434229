import {
  type BackoffPolicy,
  countFailure,
  type LocalProcess,
  launchDigest,
  restartDelayMs,
} from '@medley/executor-local'
import type { Workload, WorkloadState } from '@medley/fleet/protocol'
import { agentErrors } from '../errors.ts'
import type { EngineHealth } from './engine-client.ts'
import { type PlannedEngine, planEngine } from './launch.ts'
import {
  createStatusBoard,
  errorOf,
  type Managed,
  messageOf,
  type StatusBoard,
  type StatusError,
  statusError,
  type WorkloadDeps,
} from './managed.ts'
import { noteReady, readReady } from './ready-note.ts'
import { type EndOfWatch, watchEngine } from './watch.ts'

/** Tries in a row without becoming ready after which a person is told `failed`; the trying goes on. */
const TRIES_BEFORE_FAILED = 5

interface RoundEnd {
  readonly error: StatusError
  /** The engine itself said that it cannot run: trying again at once would only burn time. */
  readonly declared: boolean
  readonly healthyMs: number
}

/**
 * Keeps one engine running: adopts a living one, starts a missing one, restarts one that ended, hangs or fails, at
 * the same endpoint, for as long as it is wanted.
 */
export function createEngineWorkload(deps: WorkloadDeps, workload: Workload, directory: string): Managed {
  const board = createStatusBoard(workload, 'starting', deps.onChange)
  const calledOff = new AbortController()
  let released = false

  const settled = Promise.withResolvers<void>()
  const keeping = { deps, workload, directory, board, signal: calledOff.signal, onSettled: settled.resolve }
  const done = keepRunning(keeping).then(async (process) => {
    if (process === null || released) return
    board.update({ state: 'stopping' })
    await process.stop(deps.limits.stopGraceMs)
    board.update({ state: 'stopped' })
  })
  done.catch((error: unknown) => board.update({ state: 'failed', error: errorOf(error) })).finally(settled.resolve)

  return {
    digest: workload.digest,
    settled: settled.promise,
    status: board.read,
    stop: async () => {
      calledOff.abort()
      await done.catch(() => undefined)
    },
    release: () => {
      released = true
      calledOff.abort()
    },
  }
}

interface Keeping {
  readonly deps: WorkloadDeps
  readonly workload: Workload
  readonly directory: string
  readonly board: StatusBoard
  readonly signal: AbortSignal
  readonly onSettled: () => void
}

/** Resolves when called off, with the process that still runs, if any. Rejects when the spec can never run. */
async function keepRunning(keeping: Keeping): Promise<LocalProcess | null> {
  const { deps, workload, directory, board, signal } = keeping
  const planned = await planEngine(deps, { ...workload, directory })
  const policy: BackoffPolicy = {
    initialMs: deps.limits.backoffInitialMs,
    maxMs: deps.limits.backoffMaxMs,
    resetAfterMs: deps.limits.healthyResetMs,
  }
  const patient: BackoffPolicy = { ...policy, initialMs: deps.limits.declaredFailureRestMs, maxMs: 30 * 60_000 }
  let failures = 0
  while (!signal.aborted) {
    const process = await obtain(keeping, planned).catch((error: unknown) => messageOf(error))
    const running = typeof process === 'string' ? null : process
    if (running === null) keeping.onSettled()
    if (process === null || signal.aborted) return running
    const end = typeof process === 'string' ? launchFailure(process) : await oneRound(keeping, planned, process)
    if (end === 'aborted') return running
    // The leader may be gone and others of its group not; the socket must be free before the next start.
    await running?.stop(0)
    failures = countFailure(policy, failures, end.healthyMs)
    const waitMs = restartDelayMs(end.declared ? patient : policy, failures)
    deps.log('engine ended', { workload: workload.id, error: end.error, failures, waitMs })
    const state: WorkloadState = end.declared || failures >= TRIES_BEFORE_FAILED ? 'failed' : 'restarting'
    board.update({ state, error: end.error, restarts: board.read().restarts + 1, progress: null })
    await pause(waitMs, signal)
  }
  return null
}

/** A living process of the very same launch, or else a new one; null when called off before there was one. */
async function obtain(keeping: Keeping, planned: PlannedEngine): Promise<LocalProcess | null> {
  const { deps, directory, signal } = keeping
  const living = await deps.executor.adopt(directory)
  if (living && living.digest === launchDigest(planned.launch)) {
    deps.log('engine adopted', { workload: keeping.workload.id, pid: living.pid })
    return living
  }
  if (living) await living.stop(deps.limits.stopGraceMs)
  // Called off while it looked around: what started now would have to be stopped at once, or would stay behind.
  if (signal.aborted) return null
  const started = await deps.executor.start(directory, planned.launch)
  deps.log('engine started', { workload: keeping.workload.id, pid: started.pid })
  return started
}

async function oneRound(
  keeping: Keeping,
  planned: PlannedEngine,
  process: LocalProcess,
): Promise<RoundEnd | 'aborted'> {
  const { deps, board, signal, directory } = keeping
  const known = process.adopted ? await readReady(directory, process) : null
  if (known) board.update({ state: 'ready', endpoint: planned.endpoint, result: known.result })
  keeping.onSettled()
  let readyAt = known ? performance.now() : null
  const end = await watchEngine({
    process,
    assumeReady: known !== null,
    endpoint: planned.endpoint,
    readyTimeoutMs: planned.readyTimeoutMs,
    limits: deps.limits,
    signal,
    onHealth: (health) => {
      if (health.state === 'ready' && readyAt === null) {
        readyAt = performance.now()
        void noteReady(directory, process, health.facts).catch(() => undefined)
      }
      if (health.state !== 'failed') showHealth(board, planned.endpoint, health.state, health)
    },
  })
  if (end.kind === 'aborted') return 'aborted'
  const healthyMs = readyAt === null ? 0 : performance.now() - readyAt
  const line = (await process.lastLogLine()) ?? ''
  return { ...explain(end, line, { ...deps.limits, readyTimeoutMs: planned.readyTimeoutMs }), healthyMs }
}

function showHealth(
  board: StatusBoard,
  endpoint: string,
  said: Exclude<EngineHealth['state'], 'failed'>,
  health: EngineHealth,
): void {
  const { state, restarts } = board.read()
  // Until it is ready again, a restarted engine keeps saying that it is being restarted, or that it failed.
  const climbing = restarts > 0 && (state === 'restarting' || state === 'failed') ? state : null
  const shown: Record<typeof said, WorkloadState> = {
    starting: climbing ?? 'starting',
    checking: climbing ?? 'checking',
    ready: 'ready',
    draining: 'stopping',
  }
  const loading = health.state === 'starting' && health.progress !== null
  board.update({
    state: shown[said],
    endpoint,
    progress: loading
      ? {
          step: 'load',
          done: Math.max(0, Math.min(100, Math.floor((health.progress ?? 0) * 100))),
          total: 100,
          unit: 'percent',
        }
      : null,
    ...(health.state === 'ready' ? { error: null, result: health.facts } : {}),
  })
}

function explain(
  end: Exclude<EndOfWatch, { kind: 'aborted' }>,
  line: string,
  limits: { readonly readyTimeoutMs: number; readonly hangTimeoutMs: number },
): { readonly error: StatusError; readonly declared: boolean } {
  if (end.kind === 'hang') {
    return { error: errorOf(agentErrors['engine.hang']({ seconds: limits.hangTimeoutMs / 1000 })), declared: false }
  }
  if (end.kind === 'start-timeout') {
    const seconds = limits.readyTimeoutMs / 1000
    return { error: errorOf(agentErrors['engine.start-timeout']({ seconds })), declared: false }
  }
  const declared = end.lastHealth?.state === 'failed' ? end.lastHealth : null
  if (declared) {
    const said = declared.error ? statusError(declared.error.code, declared.error.params) : null
    return { error: said ?? errorOf(agentErrors['engine.declared-failure']({ line })), declared: true }
  }
  const exit = end.kind === 'exited' ? end.exit : { code: null, signal: null }
  const reason = exit.signal ?? (exit.code === null ? 'gone' : `exit ${exit.code}`)
  return { error: errorOf(agentErrors['engine.exited']({ reason, line })), declared: false }
}

function launchFailure(message: string): RoundEnd {
  return { error: errorOf(agentErrors['engine.launch-failed']({ message })), declared: false, healthyMs: 0 }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const timer = setTimeout(resolve, ms)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
}
