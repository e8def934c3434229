/** The engine process's own endpoints, beside the OpenAI-shaped ones. */
import { engineFacts } from '@medley/serving/protocol'
import { z } from 'zod'

const count = z.number().int().nonnegative()

export const engineHealth = z.object({
  state: z.enum(['starting', 'checking', 'ready', 'failed', 'draining']),
  /** 0 to 1 while the model is being loaded. */
  progress: z.number(),
  error: z
    .object({
      code: z.string(),
      params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    })
    .nullable(),
  facts: engineFacts.nullable(),
  slots: z.object({ total: count, busy: count, queued: count }),
})
export type EngineHealth = z.infer<typeof engineHealth>

/** Answer of `GET /internal/requests/ID`: what a request has cost so far, or did cost. */
export const requestRecord = z.object({
  id: z.string(),
  promptTokens: count,
  cachedTokens: count,
  completionTokens: count,
  state: z.enum(['queued', 'running', 'completed', 'aborted', 'failed']),
})
export type RequestRecord = z.infer<typeof requestRecord>

export const measureRequest = z.object({
  promptTokens: count.min(1),
  generateTokens: count,
  repeats: count.min(1).max(100),
  /** Runs before the first that counts. */
  warmup: count.max(20).default(1),
  /** Streams that run together; at most the number of slots. */
  concurrency: count.min(1).default(1),
})
export type MeasureRequest = z.infer<typeof measureRequest>

export const measureResult = z.object({
  repeats: z.array(
    z.object({
      /** From the start until the last stream has its first token. */
      promptSeconds: z.number(),
      /** From then until every stream is done: `generatedTokens` decoding steps after the first tokens. */
      generateSeconds: z.number(),
      /** The whole group; the sum of the two above. */
      wallSeconds: z.number(),
      /** CPU time of the whole process over `generateSeconds` (its prompt counterpart is `promptCpuSeconds`). */
      cpuSeconds: z.number(),
      promptCpuSeconds: z.number(),
      /** Summed over the streams of the group. */
      promptTokens: count,
      generatedTokens: count,
      /** Whether a client's request ran at the same time, so that the figures are not the engine's own. */
      disturbed: z.boolean(),
    }),
  ),
})
export type MeasureResult = z.infer<typeof measureResult>
