import type { z } from 'zod'
import type { startupStep } from './api/schemas.ts'
import { codedOf } from './coded.ts'

type Step = z.infer<typeof startupStep>
type StepName = Step['step']

export interface BringUp {
  steps(): readonly Step[]
  /** Whether every step has ended, well or not: from then on the factory takes work. */
  settled(): boolean
  run(signal: AbortSignal): Promise<void>
}

/** One thing to do at start. Returns `skipped` where there is nothing to do. Must be safe to repeat. */
export interface BringUpTask {
  readonly step: StepName
  /** Steps that must have succeeded before this one is tried. */
  readonly needs: readonly StepName[]
  /** False where a repetition costs more than it helps: measuring beside a model that already serves disturbs both. */
  readonly tryAgain?: boolean
  run(
    report: (progress: { done: number; total: number | null; unit: string }) => void,
    signal: AbortSignal,
  ): Promise<'done' | 'skipped'>
}

const FIRST_RETRY_MS = 5_000
const LONGEST_RETRY_MS = 5 * 60_000

/**
 * Takes a new factory to its first answer, step by step. A failed step does not stop the factory: it is shown with
 * its remedy and tried again, since the remedy (a file put in place, a network back) needs no restart.
 */
export function createBringUp(ports: {
  readonly tasks: readonly BringUpTask[]
  readonly onChange: () => void
  readonly onError: (step: StepName, error: unknown) => void
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}): BringUp {
  const state = new Map<StepName, Step>(ports.tasks.map((task) => [task.step, waiting(task.step)]))

  const set = (step: StepName, change: Partial<Step>) => {
    state.set(step, { ...(state.get(step) ?? waiting(step)), ...change })
    ports.onChange()
  }
  const givenUp = new Set<StepName>()
  const succeeded = (step: StepName) => ['done', 'skipped'].includes(state.get(step)?.state ?? '')

  async function attempt(task: BringUpTask, signal: AbortSignal): Promise<void> {
    const missing = task.needs.filter((step) => !succeeded(step))
    if (missing.length > 0) {
      const detail = { code: 'server.bring-up.blocked', params: { needs: missing.join(', ') } }
      set(task.step, { state: 'failed', detail })
      return
    }
    set(task.step, { state: 'working', detail: null })
    try {
      const outcome = await task.run((progress) => set(task.step, progress), signal)
      set(task.step, { state: outcome, detail: null })
    } catch (error) {
      if (signal.aborted) return
      ports.onError(task.step, error)
      if (task.tryAgain === false) givenUp.add(task.step)
      set(task.step, { state: 'failed', detail: codedOf(error) })
    }
  }

  return {
    steps: () => [...state.values()],
    settled: () => [...state.values()].every((step) => !['waiting', 'working'].includes(step.state)),
    async run(signal) {
      for (const task of ports.tasks) await attempt(task, signal)
      for (let pauseMs = FIRST_RETRY_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_RETRY_MS)) {
        const open = ports.tasks.filter(({ step }) => !succeeded(step) && !givenUp.has(step))
        if (open.length === 0) return
        await ports.sleep(pauseMs, signal)
        for (const task of open) if (!signal.aborted) await attempt(task, signal)
      }
    },
  }
}

function waiting(step: StepName): Step {
  return { step, state: 'waiting', done: 0, total: null, unit: '', detail: null }
}
