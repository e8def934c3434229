import type { Token } from 'node-llama-cpp'
import type { Engine } from '../core/engine.ts'
import { badRequest } from '../core/request-error.ts'
import type { Exchange } from './answer.ts'
import { abortOnClose, sendJson } from './io.ts'
import { type EmbeddingBody, embeddingBody, parseBody } from './schemas.ts'

/** @throws {RequestError} */
export async function answerEmbeddings(engine: Engine, exchange: Exchange): Promise<void> {
  const body = parseBody(embeddingBody, exchange.body)
  const inputs = inputsOf(body).map((input) => toTokens(engine, input))
  const total = inputs.reduce((sum, tokens) => sum + tokens.length, 0)
  checkInputs(inputs, engine.embedder.limit)
  const record = engine.ledger.open(exchange.requestId, total)
  const signal = abortOnClose(exchange.response)
  let vectors: readonly (readonly number[])[]
  try {
    record.state = 'running'
    vectors = await engine.embedder.embed(inputs, signal)
    record.state = 'completed'
  } catch (error) {
    record.state = signal.aborted ? 'aborted' : 'failed'
    if (signal.aborted) return
    throw error
  }
  const base64 = body.encoding_format === 'base64'
  sendJson(exchange.response, 200, {
    object: 'list',
    data: vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: base64 ? encode(vector) : vector,
    })),
    model: engine.spec.servedModel,
    usage: { prompt_tokens: total, total_tokens: total },
  })
}

type Input = string | readonly number[]

/** One text, many texts, one list of tokens, or many lists. */
function inputsOf({ input }: EmbeddingBody): readonly Input[] {
  if (typeof input === 'string') return [input]
  const items: readonly Input[] | readonly number[] = input as readonly Input[] | readonly number[]
  return isTokenList(items) ? [items] : items
}

function isTokenList(items: readonly Input[] | readonly number[]): items is readonly number[] {
  return typeof items[0] === 'number'
}

function toTokens(engine: Engine, input: Input): readonly Token[] {
  if (typeof input === 'string') return engine.model.tokenize(input, false)
  return input.map((token) => token as Token)
}

function checkInputs(inputs: readonly (readonly Token[])[], limit: number): void {
  for (const [index, tokens] of inputs.entries()) {
    const param = inputs.length === 1 ? 'input' : `input[${index}]`
    if (tokens.length === 0) throw badRequest(param, `'${param}' must not be empty.`)
    if (tokens.length <= limit) continue
    const message = `'${param}' has ${tokens.length} tokens; this deployment embeds at most ${limit} at once.`
    throw badRequest(param, message, 'context_length_exceeded')
  }
}

/** Little-endian 32-bit floats, as OpenAI encodes them whatever the machine. */
function encode(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4)
  return bytes.toString('base64')
}
