import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, IdFactory } from '@medley/kernel'
import type { GatewayKey, GatewayRoute } from '@medley/serving/protocol'
import { type Endpoint, namesOf } from '../control/directory.ts'
import { UNKNOWN_TOKENS } from '../domain/answer.ts'
import { asGatewayError, gatewayErrors } from '../errors.ts'
import type { Journal } from '../journal/journal.ts'
import type { Log } from '../log.ts'
import { createGatewayMetrics } from '../metrics.ts'
import { Exchange, sendError, sendJson, settleAborted } from './exchange.ts'
import { type InferenceOptions, infer } from './infer.ts'

export interface RouterOptions {
  readonly ids: IdFactory
  readonly inference: InferenceOptions
  readonly journal: Journal
  readonly clock: Clock
  readonly log: Log
  readonly deliveredRecords: () => number
}

export interface Router {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void
  /** Connections end with the answer they carry. */
  startDraining(): void
  /** Resolves when nothing runs any more; after `withinMs` what still runs is ended with an error. */
  whenIdle(withinMs: number): Promise<void>
}

interface Arrival {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly method: string
  readonly path: string
  readonly requestId: string
}

const INFERENCE: Readonly<Record<string, Endpoint>> = {
  '/v1/chat/completions': 'chat',
  '/v1/completions': 'completion',
  '/v1/embeddings': 'embedding',
}
const MODELS = '/v1/models'
/** For the last words of a stop to reach the clients. */
const FAREWELL_MS = 2000

/** Maps each URL to what serves it, and whatever is thrown to an answer in OpenAI's form. */
export function createRouter(options: RouterOptions): Router {
  const running = new Set<Exchange>()
  const { journal, clock, deliveredRecords } = options
  const metrics = createGatewayMetrics({ journal, deliveredRecords, running: () => running.size })
  let draining = false
  let onIdle: () => void = () => {}

  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const path = pathOf(request.url ?? '/')
    const requestId = options.ids.next('req')
    response.setHeader('x-request-id', requestId)
    const clientId = request.headers['x-request-id']
    if (typeof clientId === 'string' && /^[\x20-\x7e]{1,200}$/.test(clientId)) {
      response.setHeader('x-client-request-id', clientId)
    }
    if (draining) response.shouldKeepAlive = false
    response.on('error', () => {})
    route({ request, response, method: request.method ?? 'GET', path, requestId }).catch((error: unknown) => {
      const known = asGatewayError(error)
      if (known.definition.status === 500) options.log('error', 'request.failed', { requestId, error: reason(error) })
      if (response.headersSent) response.destroy()
      else sendError(request, response, known)
    })
  }

  async function route(arrival: Arrival): Promise<void> {
    const { method, path, request, response } = arrival
    requireHost(request)
    const endpoint = Object.hasOwn(INFERENCE, path) ? INFERENCE[path] : undefined
    if (endpoint !== undefined) {
      requireMethod(arrival, 'POST')
      return runExchange(arrival, endpoint)
    }
    if (path === '/healthz') {
      requireMethod(arrival, 'GET')
      return sendJson(response, 200, { status: 'ok' })
    }
    if (path === '/readyz') {
      requireMethod(arrival, 'GET')
      return sendReadiness(response)
    }
    if (path === '/metrics') {
      requireMethod(arrival, 'GET')
      const text = await metrics.text()
      response.writeHead(200, { 'content-type': metrics.contentType }).end(text)
      return
    }
    if (path === MODELS || path.startsWith(`${MODELS}/`)) {
      requireMethod(arrival, 'GET')
      return sendModels(response, path, authenticate(request))
    }
    throw gatewayErrors.unknown_url({ method, path })
  }

  async function runExchange({ request, response, path, requestId }: Arrival, endpoint: Endpoint): Promise<void> {
    const key = authenticate(request)
    const exchange = new Exchange({
      request,
      response,
      requestId,
      path,
      key,
      journal,
      now: () => clock.now(),
      onSettled: metrics.observe,
    })
    running.add(exchange)
    try {
      if (!journal.healthy) throw gatewayErrors.metering_unavailable()
      await infer(exchange, endpoint, options.inference)
    } catch (error) {
      conclude(exchange, error)
    } finally {
      // Not before the client has its last byte, or a stop would cut it off.
      if (response.closed) leave(exchange)
      else response.once('close', () => leave(exchange))
    }
  }

  function leave(exchange: Exchange): void {
    running.delete(exchange)
    if (running.size === 0) onIdle()
  }

  /** What was thrown before the exchange was settled becomes its answer and its record. */
  function conclude(exchange: Exchange, error: unknown): void {
    if (exchange.record !== null) throw error
    if (exchange.clientLeft) {
      settleAborted(exchange, UNKNOWN_TOKENS)
      return
    }
    const known = asGatewayError(error)
    if (known.definition.status === 500) {
      options.log('error', 'request.failed', { requestId: exchange.requestId, error: reason(error) })
    }
    exchange.fail(known)
  }

  function authenticate(request: IncomingMessage): GatewayKey {
    const directory = options.inference.directory()
    if (directory === null) throw gatewayErrors.not_ready()
    const token = tokenOf(request)
    const key = token === null ? null : directory.authenticate(token, clock.now())
    if (key === null) throw gatewayErrors.invalid_api_key()
    return key
  }

  function sendReadiness(response: ServerResponse): void {
    const reasons = [
      ...(options.inference.directory() === null ? ['snapshot'] : []),
      ...(journal.healthy ? [] : ['journal']),
      ...(draining ? ['draining'] : []),
    ]
    sendJson(response, reasons.length === 0 ? 200 : 503, {
      status: reasons.length === 0 ? 'ready' : 'waiting',
      reasons,
    })
  }

  function sendModels(response: ServerResponse, path: string, key: GatewayKey): void {
    const directory = options.inference.directory()
    const visible = directory?.routes(key.tenantId) ?? []
    if (path === MODELS) {
      sendJson(response, 200, { object: 'list', data: visible.map(modelObject) })
      return
    }
    const model = decodePath(path.slice(MODELS.length + 1))
    const found = directory?.route(key.tenantId, model) ?? null
    if (found === null) throw gatewayErrors.model_not_found({ model, available: namesOf(visible) })
    sendJson(response, 200, modelObject(found))
  }

  return {
    handle,
    startDraining: () => {
      draining = true
      for (const exchange of running) {
        if (!exchange.response.headersSent) exchange.response.shouldKeepAlive = false
      }
    },
    whenIdle: async (withinMs) => {
      if (running.size === 0) return
      const idle = new Promise<void>((resolve) => {
        onIdle = resolve
      })
      await Promise.race([idle, sleep(withinMs, null, { ref: false })])
      for (const exchange of running) exchange.stop()
      // A client that does not even read its error event is not waited for any longer.
      if (running.size > 0) await Promise.race([idle, sleep(FAREWELL_MS, null, { ref: false })])
    },
  }
}

/** Proxies send the whole URL (absolute-form, RFC 9112 section 3.2.2). */
function pathOf(target: string): string {
  const [path = '/'] = target.replace(/^https?:\/\/[^/?#]*/i, '').split('?', 1)
  return path === '' ? '/' : path
}

/** Ours to refuse, as the server's own refusal has neither an id nor the form of the others. */
function requireHost({ httpVersion, headers }: IncomingMessage): void {
  if (httpVersion === '1.1' && headers.host === undefined) {
    throw gatewayErrors.bad_request({ problem: 'the header Host is missing' })
  }
}

function requireMethod({ request, response, method, path }: Arrival, allowed: string): void {
  if (method === allowed || (allowed === 'GET' && method === 'HEAD')) return
  response.setHeader('allow', allowed)
  request.resume()
  throw gatewayErrors.method_not_allowed({ method, path, allowed })
}

function tokenOf(request: IncomingMessage): string | null {
  const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1]
  const header = request.headers['x-api-key']
  return bearer ?? (typeof header === 'string' ? header : null)
}

function modelObject(route: GatewayRoute) {
  return { id: route.model, object: 'model', created: Math.floor(route.created), owned_by: 'medley' }
}

function decodePath(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
