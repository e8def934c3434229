import type { EngineConfig } from '@medley/serving/protocol'
import type { LlamaEmbeddingContext, LlamaModel, Token } from 'node-llama-cpp'
import { createTurns } from './turns.ts'

export interface EmbeddingSink {
  /** The request's turn has come. */
  started(): void
  /** One input more is embedded: its tokens are spent, whatever becomes of the rest. */
  embedded(tokens: number): void
}

export interface Embedder {
  /**
   * Unit vectors, one per input; inputs are checked against `limit` by the caller.
   *
   * @throws {RequestError} 503 when the queue is full.
   * @throws The signal's reason when it is aborted, also while waiting.
   */
  embed(
    inputs: readonly (readonly Token[])[],
    signal: AbortSignal,
    sink: EmbeddingSink,
  ): Promise<readonly (readonly number[])[]>
  /** Most tokens of one input. */
  readonly limit: number
}

/** The context is made for the first request and given back when nobody asked for this long: it costs memory. */
const KEEP_MS = 60_000

export function createEmbedder(model: LlamaModel, config: EngineConfig): Embedder {
  // One token of the context stays free for the library's own bookkeeping, two for the tokens it may add.
  const limit = config.contextTokens - 3
  const turns = createTurns(config.maxQueue)
  let context: LlamaEmbeddingContext | null = null
  let expiry: NodeJS.Timeout | undefined

  const open = async (): Promise<LlamaEmbeddingContext> => {
    clearTimeout(expiry)
    const { contextTokens, threads } = config
    context ??= await model.createEmbeddingContext({ contextSize: contextTokens, batchSize: contextTokens, threads })
    return context
  }
  const expire = (): void => {
    clearTimeout(expiry)
    // Who has a turn at that time sets the next expiry at its end.
    expiry = setTimeout(() => void turns.takeIfIdle(close).catch(() => undefined), KEEP_MS)
    expiry.unref()
  }
  const close = async (): Promise<void> => {
    const old = context
    context = null
    await old?.dispose()
  }

  return {
    limit,
    embed: (inputs, signal, sink) =>
      turns.take(signal, async () => {
        const vectors: (readonly number[])[] = []
        sink.started()
        try {
          const embedding = await open()
          for (const input of inputs) {
            signal.throwIfAborted()
            vectors.push(normalise((await embedding.getEmbeddingFor([...input])).vector))
            sink.embedded(input.length)
          }
        } finally {
          expire()
        }
        return vectors
      }),
  }
}

/** Clients compare embeddings by their dot product, as OpenAI's are unit vectors. */
function normalise(vector: readonly number[]): readonly number[] {
  const length = Math.hypot(...vector)
  return length === 0 ? vector : vector.map((value) => value / length)
}
