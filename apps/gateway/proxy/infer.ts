import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { GatewayRoute } from '@medley/serving/protocol'
import { type Directory, type Endpoint, namesOf, routeKey } from '../control/directory.ts'
import { errorCodeOf, parseLoosely, UNKNOWN_TOKENS } from '../domain/answer.ts'
import { gatewayErrors } from '../errors.ts'
import { type Exchange, settleAborted } from './exchange.ts'
import { readWhole, relay, sendWhole, type WholeAnswer } from './relay.ts'
import type { Lease, ReplicaPool } from './replica-pool.ts'
import { type InferenceBody, readInferenceBody } from './request-body.ts'
import type { Upstream } from './upstream.ts'

export interface InferenceOptions {
  readonly pool: ReplicaPool
  readonly upstream: Upstream
  readonly directory: () => Directory | null
  readonly maxBodyBytes: number
  readonly bodyTimeoutMs: number
  readonly maxAnswerBytes: number
  readonly replicaWaitMs: number
  readonly upstreamIdleMs: number
}

/** An engine that took a request and died of it is given it again only so often: the request may be the cause. */
const MAX_LOST = 3
const RETRY_PAUSE_MS = 25
/** Code of an engine's 503 when its queue is full: the client is to slow down, not the gateway to wait. */
const BUSY = 'engine_busy'

/** Carries one authenticated request through to its record. Throws what the client is to be told. */
export async function infer(exchange: Exchange, endpoint: Endpoint, options: InferenceOptions): Promise<void> {
  if (!exchange.key.scopes.some((scope) => scope === 'inference' || scope === '*')) throw gatewayErrors.missing_scope()
  const body = await readInferenceBody(exchange.request, options)
  exchange.describe(body.model, body.stream)
  const directory = options.directory()
  if (directory === null) throw gatewayErrors.not_ready()
  const route = routeOf(exchange, body, endpoint, directory)
  const answer = await send(exchange, route, body, options)
  if (answer === null) return
  const { lease } = answer
  try {
    exchange.response.setHeader('x-medley-revision', lease.replica.revisionId)
    if (answer.kind === 'whole') return sendWhole(exchange, answer.whole)
    await relay(exchange, answer.response, {
      maxAnswerBytes: options.maxAnswerBytes,
      countsOf: () => options.upstream.countsOf(lease.replica.endpoint, exchange.requestId),
    })
  } finally {
    lease.release()
  }
}

function routeOf(exchange: Exchange, body: InferenceBody, endpoint: Endpoint, directory: Directory): GatewayRoute {
  const { path } = exchange
  const { tenantId } = exchange.key
  const visible = directory.routes(tenantId)
  if (body.model === null) throw gatewayErrors.missing_model({ available: namesOf(visible) })
  const route = directory.route(tenantId, body.model)
  if (route === null) throw gatewayErrors.model_not_found({ model: body.model, available: namesOf(visible) })
  if (!route.capabilities.includes(endpoint)) {
    const able = visible.filter(({ capabilities }) => capabilities.includes(endpoint))
    throw gatewayErrors.capability_missing({ model: body.model, path, available: namesOf(able) })
  }
  return route
}

type Answer =
  | { readonly kind: 'stream'; readonly lease: Lease; readonly response: IncomingMessage }
  | { readonly kind: 'whole'; readonly lease: Lease; readonly whole: WholeAnswer }

/** Finds a replica that answers; null when the exchange was settled because its client left meanwhile. */
async function send(
  exchange: Exchange,
  route: GatewayRoute,
  body: InferenceBody,
  options: InferenceOptions,
): Promise<Answer | null> {
  let deadline = performance.now() + options.replicaWaitMs
  let lost = 0
  for (;;) {
    const lease = await options.pool.acquire({
      route: routeKey(route),
      bytes: body.bytes.length,
      waitMs: deadline - performance.now(),
      signal: exchange.signal,
    })
    if (lease === 'full') throw gatewayErrors.too_many_waiting({ model: route.model })
    if (exchange.signal.aborted) {
      lease?.release()
      return giveUp(exchange, null, options)
    }
    if (lease === null) {
      throw gatewayErrors.no_replica({ model: route.model, seconds: Math.round(options.replicaWaitMs / 1000) })
    }
    const outcome = await attempt(exchange, lease, body, options)
    const answer = outcome.kind === 'answered' ? await accept(lease, outcome.response, options) : null
    if (answer !== null) return answer
    lease.release()
    if (exchange.signal.aborted) return giveUp(exchange, lease, options)
    options.pool.reportDown(lease.replica)
    if (outcome.kind === 'lost') {
      // An engine may die minutes into a long prompt; its restart is waited for all the same.
      lost += 1
      deadline = performance.now() + options.replicaWaitMs
    }
    if (lost >= MAX_LOST || outcome.kind === 'silent') throw gatewayErrors.engine_lost()
    await sleep(RETRY_PAUSE_MS)
  }
}

/** Null for an engine that runs but does not serve: the request waits for it as if it were not there. */
async function accept(lease: Lease, response: IncomingMessage, options: InferenceOptions): Promise<Answer | null> {
  if (response.statusCode !== 503) return { kind: 'stream', lease, response }
  try {
    const whole = await readWhole(response, options.maxAnswerBytes)
    const isBusy = errorCodeOf(parseLoosely(whole.body.toString('utf8'))) === BUSY
    return isBusy ? { kind: 'whole', lease, whole } : null
  } catch {
    return null
  }
}

function attempt(exchange: Exchange, lease: Lease, body: InferenceBody, options: InferenceOptions) {
  if (!exchange.begin(lease.replica)) {
    lease.release()
    throw gatewayErrors.metering_unavailable()
  }
  return options.upstream.send({
    endpoint: lease.replica.endpoint,
    path: exchange.path,
    headers: {
      'content-type': 'application/json',
      'content-length': String(body.bytes.length),
      accept: body.stream ? 'text/event-stream' : 'application/json',
      'x-request-id': exchange.requestId,
    },
    body: body.bytes,
    idleMs: options.upstreamIdleMs,
    signal: exchange.signal,
  })
}

async function giveUp(exchange: Exchange, lease: Lease | null, options: InferenceOptions): Promise<null> {
  if (!exchange.clientLeft) throw gatewayErrors.stopping()
  const counts =
    lease === null ? UNKNOWN_TOKENS : await options.upstream.countsOf(lease.replica.endpoint, exchange.requestId)
  settleAborted(exchange, counts)
  return null
}
