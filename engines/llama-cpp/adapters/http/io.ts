import type { IncomingMessage, ServerResponse } from 'node:http'
import { badRequest, RequestError } from '../core/request-error.ts'

/** Far above any prompt that fits a context; bounds what a broken client can make us hold. */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024

/** @throws {RequestError} 400 with the place of a JSON mistake, 413 for a body that is too large. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > BODY_LIMIT_BYTES) {
      throw new RequestError(413, `The body is larger than ${BODY_LIMIT_BYTES} bytes.`, { code: 'body_too_large' })
    }
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw badRequest('body', `The body is not valid JSON: ${reason}`, 'invalid_json')
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

export interface OpenAiError {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly param: string | null
    readonly code: string | null
  }
}

/** OpenAI's error shape. What is not a RequestError is ours to fix and is not explained to the client. */
export function errorBody(error: unknown): OpenAiError {
  if (error instanceof RequestError) {
    const { message, type, param, code } = error
    return { error: { message, type, param, code } }
  }
  const message = 'The engine failed while answering this request.'
  return { error: { message, type: 'server_error', param: null, code: 'engine_failed' } }
}

export function sendError(response: ServerResponse, error: unknown): void {
  if (!(error instanceof RequestError)) console.error('request failed:', error)
  if (error instanceof RequestError && error.retryAfterSeconds !== null) {
    response.setHeader('retry-after', String(error.retryAfterSeconds))
  }
  sendJson(response, error instanceof RequestError ? error.status : 500, errorBody(error))
}

/** Aborts when the client goes away before the answer is complete. */
export function abortOnClose(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  if (response.destroyed) controller.abort(new Error('the client went away'))
  response.once('close', () => {
    if (!response.writableFinished) controller.abort(new Error('the client went away'))
  })
  return controller.signal
}
