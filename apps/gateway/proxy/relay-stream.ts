import type { IncomingMessage } from 'node:http'
import { type AppError, localeFrom } from '@medley/kernel'
import { errorCodeOf, parseLoosely, type TokenCounts } from '../domain/answer.ts'
import { type SseEvent, SseSplitter } from '../domain/sse.ts'
import { errorCode, gatewayErrors, toOpenAiError } from '../errors.ts'
import { type Exchange, settleAborted } from './exchange.ts'

const EVENT_STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  // Tells nginx-like proxies in front of us not to gather events.
  'x-accel-buffering': 'no',
}

/**
 * Passes whole events on as they come, at the client's pace. The last one - `[DONE]`, an error - waits until the
 * usage is in the journal. A stream that breaks ends with an error event and without `[DONE]`.
 */
export function relayStream(
  exchange: Exchange,
  upstream: IncomingMessage,
  countsOf: () => Promise<TokenCounts>,
): Promise<void> {
  const splitter = new SseSplitter()
  const { response, signal } = exchange
  return new Promise((resolve) => {
    let over = false
    const end = (work: () => void | Promise<void>) => {
      if (over) return
      over = true
      signal.removeEventListener('abort', onAbort)
      response.off('drain', onDrain)
      resolve(work())
    }
    const onAbort = () => {
      end(() =>
        exchange.clientLeft ? abort(exchange, splitter.counts, countsOf) : breakOff(exchange, splitter.counts),
      )
    }
    const onDrain = () => upstream.resume()
    const onData = (chunk: Buffer) => {
      // What follows the last event is only read so that the connection can be used again.
      if (over) return
      const events = split(splitter, chunk)
      if (events === null) {
        end(() => breakOff(exchange, splitter.counts))
        upstream.destroy()
        return
      }
      const lastAt = events.findIndex(({ kind }) => kind === 'done' || kind === 'error')
      const last = lastAt < 0 ? null : events[lastAt]
      const hasRoom = pass(exchange, lastAt < 0 ? events : events.slice(0, lastAt), splitter.counts)
      if (last) end(() => complete(exchange, last, splitter.counts))
      else if (!hasRoom) upstream.pause()
    }
    upstream.on('data', onData)
    upstream.on('error', () => end(() => breakOff(exchange, splitter.counts)))
    upstream.on('close', () => end(() => breakOff(exchange, splitter.counts)))
    response.on('drain', onDrain)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
  })
}

function split(splitter: SseSplitter, chunk: Buffer): SseEvent[] | null {
  try {
    return splitter.push(chunk)
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

/** Returns false when the client is slower than the engine. */
function pass(exchange: Exchange, events: readonly SseEvent[], counts: TokenCounts): boolean {
  if (events.length === 0) return true
  // An opening event that only names the role comes before any token.
  if (counts.completionTokens !== 0 && events.some(({ kind }) => kind === 'data')) exchange.firstToken()
  return write(exchange, events.length === 1 && events[0] ? events[0].bytes : Buffer.concat(events.map((e) => e.bytes)))
}

function write(exchange: Exchange, bytes: Buffer): boolean {
  const { response } = exchange
  if (!response.headersSent) response.writeHead(200, EVENT_STREAM_HEADERS)
  return response.write(bytes)
}

function complete(exchange: Exchange, last: SseEvent, counts: TokenCounts): void {
  const settled = exchange.settle({
    outcome: last.kind === 'done' ? 'completed' : 'failed',
    httpStatus: 200,
    errorCode: last.kind === 'done' ? null : codeOfEvent(last),
    counts,
  })
  finish(exchange, settled, last.bytes)
}

/** The engine is gone, or we are going: the client is told, in the form its answer already has. */
function breakOff(exchange: Exchange, counts: TokenCounts): void {
  const error = exchange.signal.aborted ? gatewayErrors.stopping() : gatewayErrors.engine_lost()
  if (!exchange.response.headersSent) {
    exchange.fail(error, counts)
    return
  }
  const settled = exchange.settle({ outcome: 'failed', httpStatus: 200, errorCode: errorCode(error), counts })
  finish(exchange, settled, errorEvent(exchange, error))
}

async function abort(exchange: Exchange, counts: TokenCounts, countsOf: () => Promise<TokenCounts>): Promise<void> {
  settleAborted(exchange, counts.promptTokens === null ? await countsOf() : counts)
}

function finish(exchange: Exchange, settled: boolean, bytes: Buffer): void {
  if (!settled) {
    exchange.response.destroy()
    return
  }
  write(exchange, bytes)
  exchange.response.end()
}

function errorEvent(exchange: Exchange, error: AppError): Buffer {
  const locale = localeFrom(exchange.request.headers['accept-language'])
  return Buffer.from(`data: ${JSON.stringify(toOpenAiError(error, locale))}\n\n`)
}

function codeOfEvent(event: SseEvent): string {
  return errorCodeOf(parseLoosely(/^data: ?(.*)$/m.exec(event.bytes.toString('utf8'))?.[1] ?? ''))
}
