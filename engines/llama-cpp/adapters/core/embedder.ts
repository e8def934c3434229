import type { EngineConfig } from '@medley/serving/protocol'
import type { LlamaEmbeddingContext, LlamaModel, Token } from 'node-llama-cpp'

export interface Embedder {
  /** Unit vectors, one per input; inputs are checked against `limit` by the caller. */
  embed(inputs: readonly (readonly Token[])[], signal: AbortSignal): Promise<readonly (readonly number[])[]>
  /** Most tokens of one input. */
  readonly limit: number
}

/** The context is made for the first request and given back when nobody asked for this long: it costs memory. */
const KEEP_MS = 60_000

export function createEmbedder(model: LlamaModel, config: EngineConfig): Embedder {
  // One token of the context stays free for the library's own bookkeeping, two for the tokens it may add.
  const limit = config.contextTokens - 3
  let context: LlamaEmbeddingContext | null = null
  let turn: Promise<unknown> = Promise.resolve()
  let expiry: NodeJS.Timeout | undefined

  const open = async (): Promise<LlamaEmbeddingContext> => {
    clearTimeout(expiry)
    const { contextTokens, threads } = config
    context ??= await model.createEmbeddingContext({ contextSize: contextTokens, batchSize: contextTokens, threads })
    return context
  }
  const expire = (): void => {
    clearTimeout(expiry)
    expiry = setTimeout(() => inTurn(close), KEEP_MS)
    expiry.unref()
  }
  const close = async (): Promise<void> => {
    const old = context
    context = null
    await old?.dispose()
  }
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work)
    turn = result.catch(() => undefined)
    return result
  }

  return {
    limit,
    embed: (inputs, signal) =>
      inTurn(async () => {
        const vectors: (readonly number[])[] = []
        try {
          const embedding = await open()
          for (const input of inputs) {
            signal.throwIfAborted()
            vectors.push(normalise((await embedding.getEmbeddingFor([...input])).vector))
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
