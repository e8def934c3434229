import type { Exit, LocalProcess } from '@medley/executor-local'
import type { AgentLimits } from '../config.ts'
import { type EngineHealth, readHealth } from './engine-client.ts'

export type EndOfWatch =
  | { readonly kind: 'exited'; readonly exit: Exit; readonly lastHealth: EngineHealth | null }
  | { readonly kind: 'declared'; readonly lastHealth: EngineHealth }
  | { readonly kind: 'start-timeout' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'aborted' }

export interface WatchTask {
  readonly process: LocalProcess
  readonly endpoint: string
  readonly readyTimeoutMs: number
  /** It has been ready before, under an earlier agent: silence is a hang, not a slow start. */
  readonly assumeReady?: boolean
  readonly limits: AgentLimits
  readonly signal: AbortSignal
  readonly onHealth: (health: EngineHealth) => void
}

/**
 * Follows one engine process until it ends, fails, hangs, or the watch is called off. Silence is judged only right
 * after a probe that failed, so a host that was suspended does not look like an engine that hangs.
 */
export async function watchEngine(task: WatchTask): Promise<EndOfWatch> {
  const { limits } = task
  const pulse = createPulse(task)
  const ended: Promise<EndOfWatch> = Promise.race([
    task.process.exited.then((exit) => ({ kind: 'exited' as const, exit, lastHealth: pulse.last() })),
    aborted(task.signal).then(() => ({ kind: 'aborted' as const })),
  ])
  for (;;) {
    const seen = await Promise.race([ended, readHealth(task.endpoint, limits.healthTimeoutMs)])
    if (seen !== null && 'kind' in seen) return seen
    if (seen !== null) task.onHealth(seen)
    const verdict = pulse.judge(seen, performance.now())
    if (verdict) return verdict
    const pollMs = pulse.isStarting() ? limits.healthPollStartingMs : limits.healthPollReadyMs
    const interrupted = await Promise.race([ended, pause(pollMs)])
    if (interrupted) return interrupted
  }
}

/** Judges a series of health answers, `null` standing for silence. Times in milliseconds of a monotonic clock. */
function createPulse(task: Pick<WatchTask, 'readyTimeoutMs' | 'limits' | 'assumeReady'>) {
  let last: EngineHealth | null = null
  let answeredAt = performance.now()
  let progressedAt = answeredAt
  let mark = ''
  const isStarting = (): boolean =>
    last === null ? task.assumeReady !== true : last.state === 'starting' || last.state === 'checking'
  const note = (health: EngineHealth, now: number): void => {
    const next = `${health.state} ${health.progress}`
    if (next !== mark) progressedAt = now
    mark = next
    answeredAt = now
    last = health
  }
  return {
    last: () => last,
    isStarting,
    judge: (health: EngineHealth | null, now: number): EndOfWatch | null => {
      if (health !== null) note(health, now)
      if (health?.state === 'failed') return { kind: 'declared', lastHealth: health }
      if (isStarting()) return now - progressedAt > task.readyTimeoutMs ? { kind: 'start-timeout' } : null
      return health === null && now - answeredAt > task.limits.hangTimeoutMs ? { kind: 'hang' } : null
    },
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function pause(ms: number): Promise<null> {
  return new Promise((resolve) => setTimeout(() => resolve(null), ms))
}
