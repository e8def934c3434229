import type { IncomingMessage } from 'node:http'
import { AppError } from '@medley/kernel'
import { countsOfAnswer, errorCodeOf, parseLoosely, type TokenCounts } from '../domain/answer.ts'
import { gatewayErrors } from '../errors.ts'
import { type Exchange, outcomeOf, settleAborted } from './exchange.ts'
import { relayStream } from './relay-stream.ts'

export interface RelayOptions {
  readonly maxAnswerBytes: number
  /** Asks the engine what it had counted when the client left. */
  readonly countsOf: () => Promise<TokenCounts>
}

/** An answer of one piece. */
export interface WholeAnswer {
  readonly status: number
  readonly contentType: string
  readonly retryAfter: string | null
  readonly body: Buffer
}

/** Passes an engine's answer on, whichever form it has, and settles the exchange. */
export async function relay(exchange: Exchange, upstream: IncomingMessage, options: RelayOptions): Promise<void> {
  if (upstream.headers['content-type']?.startsWith('text/event-stream') === true) {
    return relayStream(exchange, upstream, options.countsOf)
  }
  try {
    sendWhole(exchange, await readWhole(upstream, options.maxAnswerBytes))
  } catch (cause) {
    if (exchange.clientLeft) settleAborted(exchange, await options.countsOf())
    else if (exchange.signal.aborted) exchange.fail(gatewayErrors.stopping())
    else exchange.fail(cause instanceof AppError ? cause : gatewayErrors.engine_lost({}, { cause }))
  }
}

/** @throws {AppError} answer_too_large; or the connection's error when it breaks. */
export async function readWhole(upstream: IncomingMessage, limitBytes: number): Promise<WholeAnswer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of upstream) {
    if (!(chunk instanceof Buffer)) throw new TypeError('an answer is made of bytes')
    chunks.push(chunk)
    size += chunk.length
    if (size > limitBytes) throw gatewayErrors.answer_too_large({ limitBytes })
  }
  return {
    status: upstream.statusCode ?? 502,
    contentType: upstream.headers['content-type'] ?? 'application/json',
    retryAfter: upstream.headers['retry-after'] ?? null,
    body: Buffer.concat(chunks),
  }
}

/** The first byte already acknowledges an answer that has its length, so the record comes before it. */
export function sendWhole(exchange: Exchange, whole: WholeAnswer): void {
  const { response } = exchange
  const { status, body } = whole
  const answer = parseLoosely(body.toString('utf8'))
  const settled = exchange.settle({
    outcome: outcomeOf(status),
    httpStatus: status,
    errorCode: status < 400 ? null : errorCodeOf(answer),
    counts: countsIn(answer, exchange.path),
  })
  if (!settled) {
    response.destroy()
    return
  }
  if (whole.retryAfter !== null) response.setHeader('retry-after', whole.retryAfter)
  response.writeHead(status, { 'content-type': whole.contentType, 'content-length': body.length })
  response.end(body)
}

/** An embedding has no completion: its zero is known, although engines do not report it. */
function countsIn(answer: unknown, path: string): TokenCounts {
  const counts = countsOfAnswer(answer)
  const isEmbedding = path === '/v1/embeddings' && counts.promptTokens !== null
  return isEmbedding ? { ...counts, completionTokens: counts.completionTokens ?? 0 } : counts
}
