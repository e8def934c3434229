import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '@medley/kernel'
import { z } from 'zod'
import { provingErrors } from '../errors.ts'
import type { MeasuredEngine, QuickProvingDeps } from '../ports.ts'
import {
  type CaseSamples,
  type MeasureAnswer,
  measureAnswer,
  type ProvingProgress,
  type ProvingResult,
  type ProvingSpec,
} from '../protocol.ts'
import { captureEnvironment } from './environment.ts'
import { createNoiseMeter, type NoiseMeter } from './host-noise.ts'
import { spawnProbe } from './spawn-probe.ts'

type Case = ProvingSpec['cases'][number]
type Step = ProvingProgress['step']

const WARMUP_RUNS = 1
/** How long an engine that is called off while it starts may take to go away. */
const LATE_ENGINE_MS = 10_000

/**
 * Measures one chip: the probe of its peaks first, alone on the machine, then the cases on the engine under test.
 * The chip is free again when this returns or throws.
 *
 * @throws `proving.deadline.exceeded` after `spec.deadlineMs`, `proving.run.cancelled` when `deps.signal` aborts,
 * `proving.probe.failed` and `proving.engine.failed` when a part fails.
 */
export async function runQuickProving(spec: ProvingSpec, deps: QuickProvingDeps): Promise<ProvingResult> {
  const deadline = AbortSignal.timeout(spec.deadlineMs)
  const signal = AbortSignal.any([deps.signal, deadline])
  const startedAt = deps.clock.now()
  const noise = createNoiseMeter()
  const place: { step: Step; case: string } = { step: 'probe', case: '-' }
  const report = (step: Step, done: number, total: number | null, unit: string): void => {
    place.step = step
    deps.onProgress?.({ step, done, total, unit })
  }
  let engine: MeasuredEngine | null = null
  try {
    report('probe', 0, 1, 'probe')
    const spawn = deps.spawnProbe ?? spawnProbe
    const probe = await noise.during(
      () => untilAborted(spawn({ threads: spec.threads, signal }), signal),
      (result) => result.cpuSeconds,
    )
    report('probe', 1, 1, 'probe')
    report('engine', 0, null, 'start')
    engine = await startWithin(deps, spec.engine, signal)
    const cases: CaseSamples[] = []
    for (const item of spec.cases) {
      place.case = item.id
      report(item.event, 0, item.repeats, 'repeat')
      cases.push(await measureCase(item, engine, noise, signal))
      report(item.event, item.repeats, item.repeats, 'repeat')
    }
    return {
      probe,
      cases,
      engine: z.json().parse(engine.facts()),
      environment: captureEnvironment(spec, probe.library),
      noise: noise.read(),
      startedAt,
      endedAt: deps.clock.now(),
    }
  } catch (error) {
    if (deps.signal.aborted) throw provingErrors['run.cancelled']({}, { cause: error })
    if (deadline.aborted) {
      throw provingErrors['deadline.exceeded']({ seconds: spec.deadlineMs / 1000, step: place.step }, { cause: error })
    }
    if (error instanceof AppError) throw error
    throw provingErrors['engine.failed'](place, { detail: String(error), cause: error })
  } finally {
    await engine?.stop()
  }
}

/** An engine that becomes ready after the deadline is stopped all the same: nobody else would. */
async function startWithin(deps: QuickProvingDeps, spec: unknown, signal: AbortSignal): Promise<MeasuredEngine> {
  const starting = deps.startEngine(spec, signal)
  try {
    return await untilAborted(starting, signal)
  } catch (error) {
    if (signal.aborted) {
      const freed = starting.then((late) => late.stop()).catch(() => undefined)
      // The caller may count on the chip being free, but not wait for ever for an agent that does not hear.
      await Promise.race([freed, delay(LATE_ENGINE_MS, undefined, { ref: false })])
    }
    throw error
  }
}

async function measureCase(
  item: Case,
  engine: MeasuredEngine,
  noise: NoiseMeter,
  signal: AbortSignal,
): Promise<CaseSamples> {
  const body = {
    promptTokens: item.promptTokens,
    generateTokens: item.generateTokens,
    repeats: item.repeats,
    warmup: WARMUP_RUNS,
    concurrency: 1,
  }
  const answer = await noise.during(
    async () => measureAnswer.parse(await untilAborted(engine.measure(body, signal), signal)),
    cpuSecondsWithWarmup,
  )
  const undisturbed = answer.repeats.filter((repeat) => repeat.disturbed !== true)
  const ofPrompt = item.event === 'prefill'
  return {
    id: item.id,
    event: item.event,
    promptTokens: item.promptTokens,
    generateTokens: item.generateTokens,
    seconds: undisturbed.map((repeat) => (ofPrompt ? repeat.promptSeconds : repeat.generateSeconds)),
    cpuSeconds: undisturbed.map((repeat) => (ofPrompt ? repeat.promptCpuSeconds : repeat.cpuSeconds)),
    tokens: undisturbed.map((repeat) => (ofPrompt ? repeat.promptTokens : repeat.generatedTokens)),
  }
}

/** The warm-up's share is not in the answer: it is taken as one mean repeat. */
function cpuSecondsWithWarmup(answer: MeasureAnswer): number {
  const sum = answer.repeats.reduce((seconds, repeat) => seconds + repeat.cpuSeconds + repeat.promptCpuSeconds, 0)
  return answer.repeats.length === 0 ? 0 : sum * (1 + WARMUP_RUNS / answer.repeats.length)
}

function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new Error('aborted', { cause: signal.reason }))
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
