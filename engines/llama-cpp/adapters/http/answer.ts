import type { ServerResponse } from 'node:http'
import type { LlamaGrammar, Token } from 'node-llama-cpp'
import { checkLength } from '../../domain/length-check.ts'
import type { Engine } from '../core/engine.ts'
import type { FinishReason, Generation } from '../core/generate.ts'
import type { OpenRecord } from '../core/ledger.ts'
import { badRequest } from '../core/request-error.ts'
import { type AnswerHead, type AnswerShape, chatShape, completionShape, usageOf } from './answer-shape.ts'
import { createEventStream } from './event-stream.ts'
import { abortOnClose, sendJson } from './io.ts'
import { type ChatBody, type CompletionBody, chatBody, completionBody, parseBody } from './schemas.ts'

/** OpenAI's documented default of the old completions endpoint. */
const COMPLETION_DEFAULT_TOKENS = 16

export interface Exchange {
  readonly requestId: string
  readonly body: unknown
  readonly response: ServerResponse
}

interface Job {
  readonly generation: Generation
  readonly stream: boolean
  readonly includeUsage: boolean
}

/** @throws {RequestError} */
export async function answerChat(engine: Engine, exchange: Exchange): Promise<void> {
  const body = parseBody(chatBody, exchange.body)
  const messages = body.messages.map(({ role, content }) => ({
    role: role === 'developer' ? ('system' as const) : role,
    content: typeof content === 'string' ? content : content.map((part) => part.text).join(''),
  }))
  const signal = abortOnClose(exchange.response)
  const prompt = await whileThere(signal, engine.prompts.chat(messages, signal))
  if (prompt === null) return
  const asked = body.max_completion_tokens ?? body.max_tokens ?? null
  const job = prepare(engine, body, prompt, asked, await grammarFor(engine, body))
  await answer(engine, exchange, chatShape, job)
}

/** @throws {RequestError} */
export async function answerCompletion(engine: Engine, exchange: Exchange): Promise<void> {
  const body = parseBody(completionBody, exchange.body)
  const text = typeof body.prompt === 'string' ? body.prompt : (body.prompt[0] ?? '')
  const signal = abortOnClose(exchange.response)
  const prompt = await whileThere(signal, engine.prompts.raw(text, signal))
  if (prompt === null) return
  if (prompt.length === 0) throw badRequest('prompt', "'prompt' must not be empty.")
  const job = prepare(engine, body, prompt, body.max_tokens ?? COMPLETION_DEFAULT_TOKENS, null)
  await answer(engine, exchange, completionShape, job)
}

/** Null when the client left meanwhile: there is nobody to tell anything. */
export async function whileThere<T>(signal: AbortSignal, work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (signal.aborted) return null
    throw error
  }
}

async function grammarFor(engine: Engine, body: ChatBody): Promise<LlamaGrammar | null> {
  const format = body.response_format
  if (format === null || format === undefined || format.type === 'text') return null
  if (format.type === 'json_object') return engine.grammars.anyObject()
  return engine.grammars.forSchema(format.json_schema.schema, 'response_format.json_schema.schema')
}

/** Everything that can be refused is refused here, before a slot is taken. */
function prepare(
  engine: Engine,
  body: ChatBody | CompletionBody,
  prompt: readonly Token[],
  asked: number | null,
  grammar: LlamaGrammar | null,
): Job {
  const { template, config } = engine.spec
  const length = checkLength(prompt.length, asked, config.contextTokens)
  if (length.kind === 'too-long') {
    throw badRequest('prompt' in body ? 'prompt' : 'messages', length.message, 'context_length_exceeded')
  }
  const stop = body.stop ?? []
  return {
    stream: body.stream ?? false,
    includeUsage: body.stream_options?.include_usage ?? false,
    generation: {
      prompt,
      maxTokens: length.maxTokens,
      sampling: {
        temperature: body.temperature ?? 1,
        topP: body.top_p ?? 1,
        topK: body.top_k ?? 0,
        minP: body.min_p ?? 0,
        seed: body.seed ?? null,
      },
      stop: [...template.stop, ...(typeof stop === 'string' ? [stop] : stop)],
      stopTokens: engine.prompts.stopTokens,
      grammar,
      synthetic: false,
    },
  }
}

async function answer(engine: Engine, exchange: Exchange, shape: AnswerShape, job: Job): Promise<void> {
  const { requestId, response } = exchange
  const record = engine.ledger.open(requestId, job.generation.prompt.length)
  const head: AnswerHead = {
    id: `${shape.idPrefix}${requestId}`,
    created: Math.floor(Date.now() / 1000),
    model: engine.spec.servedModel,
    system_fingerprint: engine.spec.revisionId,
  }
  const send = job.stream ? answerStream : answerWhole
  await send(engine, response, shape, job, record, head)
}

type Answerer = (
  engine: Engine,
  response: ServerResponse,
  shape: AnswerShape,
  job: Job,
  record: OpenRecord,
  head: AnswerHead,
) => Promise<void>

const answerWhole: Answerer = async (engine, response, shape, job, record, head) => {
  const pieces: string[] = []
  const sink = { text: (delta: string) => pieces.push(delta) }
  const finish = await engine.run(job.generation, record, abortOnClose(response), sink)
  if (finish === 'aborted') return
  const choices = [shape.whole(pieces.join(''), finish)]
  sendJson(response, 200, { ...head, object: shape.object, choices, usage: usageOf(record) })
}

const answerStream: Answerer = async (engine, response, shape, job, record, head) => {
  const events = createEventStream(response, record)
  const base = { ...head, object: shape.chunkObject }
  const event = (choices: readonly object[], usage: object | null = null): void =>
    events.event(job.includeUsage ? { ...base, choices, usage } : { ...base, choices })
  let finish: FinishReason
  try {
    finish = await engine.run(job.generation, record, abortOnClose(response), {
      started() {
        events.open()
        if (shape.opening !== null) event([shape.opening])
      },
      text: (delta) => event([shape.delta(delta)]),
    })
  } catch (error) {
    if (!events.opened) throw error
    console.error('stream failed:', error)
    events.fail(error)
    return
  }
  if (finish === 'aborted') return
  event([shape.closing(finish)])
  if (job.includeUsage) event([], usageOf(record))
  events.done()
}
