/** What the server asks an agent to measure and what the agent hands back, before it is scored and signed. */
import { z } from 'zod'

export const provingSpec = z.object({
  runId: z.string(),
  suite: z.literal('quick'),
  chipUuid: z.string(),
  /** Threads of every case and of the probe alike. */
  threads: z.number().int().min(1),
  /** The engine workload spec of the model under test, as JSON of serving's `engineSpec`. */
  engine: z.json(),
  cases: z.array(
    z.object({
      id: z.string(),
      event: z.enum(['prefill', 'decode']),
      promptTokens: z.number().int().min(1),
      generateTokens: z.number().int().min(0),
      repeats: z.number().int().min(1),
    }),
  ),
  deadlineMs: z.number().int(),
})
export type ProvingSpec = z.infer<typeof provingSpec>

/** Best-of-n sustained peaks of the chip on this many threads. Rates in operations or bytes per second. */
export const probeResult = z.object({
  threads: z.number().int(),
  gemmFp32: z.object({ shape: z.array(z.number()), flopsPerSecond: z.array(z.number()) }),
  gemmInt8: z.object({ shape: z.array(z.number()), opsPerSecond: z.array(z.number()) }),
  bandwidthRead: z.object({ bytes: z.number(), bytesPerSecond: z.array(z.number()) }),
  bandwidthTriad: z.object({ bytes: z.number(), bytesPerSecond: z.array(z.number()) }),
  lastLevelCacheBytes: z.number().nullable(),
  /** Processor time of the probe itself, so that it is not taken for another program's. */
  cpuSeconds: z.number(),
  library: z.string(),
})
export type ProbeResult = z.infer<typeof probeResult>

export const caseSamples = z.object({
  id: z.string(),
  event: z.enum(['prefill', 'decode']),
  promptTokens: z.number().int(),
  generateTokens: z.number().int(),
  /** Seconds of each repeat: of the prompt for `prefill`, of the generated tokens for `decode`. */
  seconds: z.array(z.number()),
  cpuSeconds: z.array(z.number()),
  /** Tokens of each repeat that `seconds` were spent on. */
  tokens: z.array(z.number().int()),
})
export type CaseSamples = z.infer<typeof caseSamples>

/** Body of the engine's `POST /internal/measure`. */
export const measureRequest = z.object({
  promptTokens: z.number().int(),
  generateTokens: z.number().int(),
  repeats: z.number().int(),
  warmup: z.number().int(),
  concurrency: z.number().int(),
})
export type MeasureRequest = z.infer<typeof measureRequest>

/** Its answer, as far as proving reads it. */
export const measureAnswer = z.object({
  repeats: z.array(
    z.object({
      promptSeconds: z.number(),
      generateSeconds: z.number(),
      /** CPU time over `generateSeconds`. */
      cpuSeconds: z.number(),
      promptCpuSeconds: z.number(),
      promptTokens: z.number().int(),
      generatedTokens: z.number().int(),
      /** A client's request ran at the same time. */
      disturbed: z.boolean().optional(),
    }),
  ),
})
export type MeasureAnswer = z.infer<typeof measureAnswer>

/** Same form as the progress of a workload. */
export const provingProgress = z.object({
  step: z.enum(['probe', 'engine', 'prefill', 'decode']),
  done: z.number().int(),
  total: z.number().int().nullable(),
  unit: z.string(),
})
export type ProvingProgress = z.infer<typeof provingProgress>

export const provingResult = z.object({
  probe: probeResult,
  cases: z.array(caseSamples),
  /** Engine facts as the engine reported them. */
  engine: z.json(),
  environment: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  /** 1-minute load and steal before and after: on a noisy host the run gives no number. */
  noise: z.object({
    loadBefore: z.number(),
    loadAfter: z.number(),
    stealRatio: z.number().nullable(),
    /** Share of the host's processor time that others took in the windows of measurement. */
    foreignCpuRatio: z.number().nullable(),
    cpuCount: z.number().int(),
  }),
  startedAt: z.number().int(),
  endedAt: z.number().int(),
})
export type ProvingResult = z.infer<typeof provingResult>
