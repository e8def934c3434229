import type { Token } from 'node-llama-cpp'
import type { Engine } from '../core/engine.ts'
import { badRequest, type RequestError } from '../core/request-error.ts'
import { type Exchange, whileThere } from './answer.ts'
import { abortOnClose, sendJson } from './io.ts'
import { type EmbeddingBody, embeddingBody, parseBody } from './schemas.ts'

/** As many as OpenAI takes. */
const MAX_INPUTS = 2048

/** @throws {RequestError} */
export async function answerEmbeddings(engine: Engine, exchange: Exchange): Promise<void> {
  refuseTooMany(exchange.body, engine.embedder.limit)
  const body = parseBody(embeddingBody, exchange.body)
  const signal = abortOnClose(exchange.response)
  const inputs = await whileThere(signal, tokensOf(engine, inputsOf(body), signal))
  if (inputs === null) return
  // Counts up with each input: one that was aborted has cost what was embedded until then.
  const record = engine.ledger.open(exchange.requestId, 0)
  let vectors: readonly (readonly number[])[]
  try {
    vectors = await engine.embedder.embed(inputs, signal, {
      started() {
        record.state = 'running'
      },
      embedded(tokens) {
        record.promptTokens += tokens
      },
    })
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
    usage: { prompt_tokens: record.promptTokens, total_tokens: record.promptTokens },
  })
}

type Input = string | readonly number[]

/** Before anything walks through them: a body may hold millions of inputs. */
function refuseTooMany(body: unknown, limit: number): void {
  const input = typeof body === 'object' && body !== null && 'input' in body ? body.input : null
  if (!Array.isArray(input)) return
  if (typeof input[0] === 'number' && input.length > limit) throw tooLong('input', String(input.length), limit)
  if (typeof input[0] === 'number' || input.length <= MAX_INPUTS) return
  const message = `'input' has ${input.length} items; at most ${MAX_INPUTS} are embedded in one request.`
  throw badRequest('input', message, 'too_many_inputs')
}

/** One text, many texts, one list of tokens, or many lists. */
function inputsOf({ input }: EmbeddingBody): readonly Input[] {
  if (typeof input === 'string') return [input]
  const items: readonly Input[] | readonly number[] = input as readonly Input[] | readonly number[]
  return isTokenList(items) ? [items] : items
}

function isTokenList(items: readonly Input[] | readonly number[]): items is readonly number[] {
  return typeof items[0] === 'number'
}

async function tokensOf(
  engine: Engine,
  inputs: readonly Input[],
  signal: AbortSignal,
): Promise<readonly (readonly Token[])[]> {
  const { limit } = engine.embedder
  const all: (readonly Token[])[] = []
  for (const [index, input] of inputs.entries()) {
    const param = inputs.length === 1 ? 'input' : `input[${index}]`
    const tokens = typeof input === 'string' ? await ofText(engine, input, param, signal) : ofIds(engine, input, param)
    if (tokens.length === 0) throw badRequest(param, `'${param}' must not be empty.`)
    if (tokens.length > limit) throw tooLong(param, String(tokens.length), limit)
    all.push(tokens)
  }
  return all
}

async function ofText(engine: Engine, text: string, param: string, signal: AbortSignal): Promise<readonly Token[]> {
  const { limit } = engine.embedder
  const result = await engine.tokenizer.tokenize([{ kind: 'content', text }], limit, signal)
  if (result.kind === 'too-long') throw tooLong(param, `at least ${result.leastTokens}`, limit)
  return result.tokens
}

function ofIds(engine: Engine, ids: readonly number[], param: string): readonly Token[] {
  const { vocabularySize } = engine.tokenizer
  const stranger = vocabularySize === null ? undefined : ids.find((id) => id >= vocabularySize)
  if (stranger === undefined) return ids.map((id) => id as Token)
  throw badRequest(param, `'${param}' names token ${stranger}; the vocabulary has ${vocabularySize} tokens, from 0.`)
}

function tooLong(param: string, tokens: string, limit: number): RequestError {
  const message = `'${param}' has ${tokens} tokens; this deployment embeds at most ${limit} at once.`
  return badRequest(param, message, 'context_length_exceeded')
}

/** Little-endian 32-bit floats, as OpenAI encodes them whatever the machine. */
function encode(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4)
  return bytes.toString('base64')
}
