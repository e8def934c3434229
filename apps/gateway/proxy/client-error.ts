import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { AppError, IdFactory } from '@medley/kernel'
import { gatewayErrors, toOpenAiError } from '../errors.ts'

/** Time for a client to read its refusal before the connection is cut: what it still sends is not read. */
const LINGER_MS = 1000

/**
 * Answers what never became a request (broken HTTP, too long or too slow headers) in the form of every other error,
 * with an id as well. There is no language to answer in but English: the headers were not read.
 */
export function answerClientErrors(server: Server, ids: IdFactory): void {
  const answered = new WeakSet<Duplex>()
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Within an answer there is no place for another one; a second fault on a connection needs none.
    const isAnswering = '_httpMessage' in socket && socket._httpMessage !== null && socket._httpMessage !== undefined
    if (error.code === 'ECONNRESET' || !socket.writable || isAnswering) {
      if (!answered.has(socket)) socket.destroy()
      return
    }
    if (answered.has(socket)) return
    answered.add(socket)
    socket.on('error', () => {})
    socket.end(responseTo(refusalFor(error), ids.next('req')))
    setTimeout(() => socket.destroy(), LINGER_MS).unref()
  })
}

function refusalFor(error: NodeJS.ErrnoException): AppError {
  if (error.code === 'HPE_HEADER_OVERFLOW') return gatewayErrors.headers_too_large()
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return gatewayErrors.request_timeout()
  // The parser's own short words, such as "Invalid method encountered"; nothing of what was received.
  const problem = 'reason' in error && typeof error.reason === 'string' ? error.reason : (error.code ?? 'unreadable')
  return gatewayErrors.bad_request({ problem })
}

function responseTo(refusal: AppError, requestId: string): string {
  const { status } = refusal.definition
  const body = JSON.stringify(toOpenAiError(refusal, 'en'))
  return [
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Bad Request'}`,
    'connection: close',
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    '',
    body,
  ].join('\r\n')
}

const REASONS: Readonly<Record<number, string>> = {
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
}
