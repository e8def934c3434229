import { z } from 'zod'
import type { ProvingSpec } from './protocol.ts'

type JsonValue = ProvingSpec['engine']

export interface PlanOptions {
  readonly runId?: string
  readonly threads?: number
  readonly deadlineMs?: number
}

const QUICK_DEADLINE_MS = 60_000
const REPEATS = 5

/**
 * Plan of the quick suite: one case per event, short enough for a first start.
 *
 * @param engine Serving's `engineSpec` of the model under test; anything that is JSON.
 */
export function planQuickRun(
  chip: { uuid: string; computeUnits: number | null },
  engine: unknown,
  options: PlanOptions & { readonly runId: string },
): ProvingSpec {
  // One processor stays free for the programs that measure.
  const threads = options.threads ?? Math.max(1, (chip.computeUnits ?? 1) - 1)
  return {
    runId: options.runId,
    suite: 'quick',
    chipUuid: chip.uuid,
    threads,
    engine: withThreads(z.json().parse(engine), threads),
    cases: [
      { id: 'prefill-256', event: 'prefill', promptTokens: 256, generateTokens: 0, repeats: REPEATS },
      { id: 'decode-32-64', event: 'decode', promptTokens: 32, generateTokens: 64, repeats: REPEATS },
    ],
    deadlineMs: options.deadlineMs ?? QUICK_DEADLINE_MS,
  }
}

/** The engine under test runs on the threads of the probe, or the two would not be comparable. */
function withThreads(engine: JsonValue, threads: number): JsonValue {
  if (!isObject(engine) || !isObject(engine.config)) return engine
  return { ...engine, config: { ...engine.config, threads } }
}

function isObject(value: JsonValue | undefined): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
