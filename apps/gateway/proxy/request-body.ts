import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { member } from '../domain/answer.ts'
import { findJsonFault } from '../domain/json-fault.ts'
import { gatewayErrors } from '../errors.ts'

export interface InferenceBody {
  /** As received: this is what the engine gets. */
  readonly bytes: Buffer
  readonly model: string | null
  readonly stream: boolean
}

export interface BodyLimits {
  readonly maxBodyBytes: number
  /** From the end of the headers to the end of the body. */
  readonly bodyTimeoutMs: number
}

/** How much more than the limit is read and thrown away, so that the client can read our refusal at all. */
const DISCARD_FACTOR = 4

/**
 * Reads the body and the two members the gateway needs of it.
 *
 * @throws {AppError} body_too_large, unsupported_media_type, invalid_json, invalid_body, request_timeout; or an Error when the
 * client went away.
 */
export async function readInferenceBody(request: IncomingMessage, limits: BodyLimits): Promise<InferenceBody> {
  requireJson(request)
  const bytes = await readBytes(request, limits)
  const value = parseJson(bytes)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw gatewayErrors.invalid_body()
  const model = member(value, 'model')
  return {
    bytes,
    model: typeof model === 'string' && model !== '' ? model : null,
    stream: member(value, 'stream') === true,
  }
}

function requireJson(request: IncomingMessage): void {
  const type = request.headers['content-type']
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw gatewayErrors.unsupported_media_type({ received: `content-encoding ${encoding}` })
  }
  if (type !== undefined && !/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw gatewayErrors.unsupported_media_type({ received: type })
  }
}

function readBytes(request: IncomingMessage, { maxBodyBytes, bodyTimeoutMs }: BodyLimits): Promise<Buffer> {
  const limitBytes = maxBodyBytes
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) {
    discard(request, limitBytes * DISCARD_FACTOR)
    return Promise.reject(gatewayErrors.body_too_large({ limitBytes }))
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const refuse = (error: Error) => {
      clearTimeout(timer)
      request.off('data', onData)
      reject(error)
    }
    const timer = setTimeout(() => refuse(gatewayErrors.request_timeout()), bodyTimeoutMs)
    const onData = (chunk: Buffer) => {
      size += chunk.length
      chunks.push(chunk)
      if (size <= limitBytes) return
      discard(request, limitBytes * DISCARD_FACTOR)
      refuse(gatewayErrors.body_too_large({ limitBytes }))
    }
    request.on('data', onData)
    request.on('end', () => {
      clearTimeout(timer)
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks))
    })
    request.on('error', refuse)
    request.on('close', () => refuse(new Error('the client went away')))
  })
}

function discard(request: IncomingMessage, mostBytes: number): void {
  let size = 0
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > mostBytes) request.destroy()
  })
}

function parseJson(bytes: Buffer): unknown {
  const text = bytes.toString('utf8')
  if (!isUtf8(bytes)) {
    // Bytes that are not UTF-8 are decoded as this character.
    const valid = text.indexOf('\ufffd')
    throw gatewayErrors.invalid_json({ problem: 'not UTF-8', ...placeOf(text, valid) })
  }
  try {
    return JSON.parse(text)
  } catch (cause) {
    const fault = findJsonFault(text)
    if (fault === null) throw cause
    const { problem, line, column, offset } = fault
    throw gatewayErrors.invalid_json({ problem, line, column, offset })
  }
}

function placeOf(text: string, offset: number): { line: number; column: number; offset: number } {
  const lines = text.slice(0, offset).split('\n')
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1, offset }
}
