import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AppError, localeFrom } from '@medley/kernel'
import type { GatewayKey } from '@medley/serving/protocol'
import type { UsageRecord } from '@medley/supply/protocol'
import { type TokenCounts, UNKNOWN_TOKENS } from '../domain/answer.ts'
import { errorCode, toOpenAiError } from '../errors.ts'
import type { Journal } from '../journal/journal.ts'
import type { Replica } from './replica-pool.ts'

export interface Ending {
  readonly outcome: Exclude<UsageRecord['outcome'], 'interrupted'>
  readonly httpStatus: number
  readonly errorCode: string | null
  readonly counts: TokenCounts
}

export interface ExchangeOptions {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly requestId: string
  readonly path: string
  readonly key: GatewayKey
  readonly journal: Journal
  readonly now: () => number
  readonly onSettled: (record: UsageRecord) => void
}

/** Longest model name that is kept: clients may send anything, and it goes to the journal and the store. */
const MAX_MODEL_CHARS = 200
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what the store's text cannot or should not hold
const CONTROL = /[\u0000-\u001f\u007f]/g

/** Status in the record of a request whose client left before any answer (no such answer is sent). */
const CLIENT_CLOSED = 499

/**
 * One authenticated request and its one usage record. The record is in the journal before the client's last byte;
 * where the journal cannot take it, the client's connection is cut instead of completed.
 */
export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly requestId: string
  readonly path: string
  readonly key: GatewayKey
  readonly startedAt: number
  readonly #startedTick = performance.now()
  readonly #journal: Journal
  readonly #now: () => number
  readonly #onSettled: (record: UsageRecord) => void
  readonly #ending = new AbortController()
  #model: string | null = null
  #stream = false
  #replica: Replica | null = null
  #timeToFirstTokenMs: number | null = null
  #record: UsageRecord | null = null

  constructor(options: ExchangeOptions) {
    this.request = options.request
    this.response = options.response
    this.requestId = options.requestId
    this.path = options.path
    this.key = options.key
    this.#journal = options.journal
    this.#now = options.now
    this.#onSettled = options.onSettled
    this.startedAt = options.now()
    this.response.on('close', () => {
      if (!this.response.writableFinished) this.#ending.abort('client')
    })
  }

  /** Fires when the client has left, or when the gateway cannot wait for the answer any longer. */
  get signal(): AbortSignal {
    return this.#ending.signal
  }

  get clientLeft(): boolean {
    return this.#ending.signal.reason === 'client'
  }

  get record(): UsageRecord | null {
    return this.#record
  }

  /** Ends the exchange from outside, when the drain time is over. */
  stop(): void {
    this.#ending.abort('stopping')
  }

  describe(model: string | null, stream: boolean): void {
    this.#model = model === null ? null : model.slice(0, MAX_MODEL_CHARS).replace(CONTROL, '\ufffd').toWellFormed()
    this.#stream = stream
  }

  /** Notes in the journal where the request is about to go; false when the journal cannot take it. */
  begin(replica: Replica): boolean {
    this.#replica = replica
    return this.#journal.begin(this.#start())
  }

  firstToken(): void {
    this.#timeToFirstTokenMs ??= Math.round((performance.now() - this.#startedTick) * 1000) / 1000
  }

  /** Writes the record, once. False when it is not in the journal: the client must not get its last byte. */
  settle(ending: Ending): boolean {
    if (this.#record !== null) throw new Error('settled twice')
    this.#record = {
      ...this.#start(),
      outcome: ending.outcome,
      httpStatus: ending.httpStatus,
      errorCode: ending.errorCode,
      ...ending.counts,
      endedAt: Math.max(this.startedAt, this.#now()),
      timeToFirstTokenMs: this.#timeToFirstTokenMs,
      appVersionId: null,
      datasetVersionId: null,
      contractId: null,
    }
    this.#onSettled(this.#record)
    return this.#journal.end(this.#record)
  }

  /** Settles and answers with an error of our own. */
  fail(error: AppError, counts: TokenCounts = UNKNOWN_TOKENS): void {
    const { status } = error.definition
    const code = errorCode(error)
    const settled = this.settle({
      outcome: outcomeOf(status),
      httpStatus: status,
      errorCode: code,
      counts,
    })
    if (settled || code === 'metering_unavailable') sendError(this.request, this.response, error)
    else this.response.destroy()
  }

  #start() {
    return {
      requestId: this.requestId,
      tenantId: this.key.tenantId,
      projectId: this.key.projectId,
      keyId: this.key.id,
      endpoint: this.path,
      model: this.#model,
      revisionId: this.#replica?.revisionId ?? null,
      replicaId: this.#replica?.id ?? null,
      chipUuids: [...(this.#replica?.chipUuids ?? [])],
      stream: this.#stream,
      startedAt: this.startedAt,
    }
  }
}

export function outcomeOf(status: number): 'completed' | 'refused' | 'failed' {
  if (status < 400) return 'completed'
  return status < 500 ? 'refused' : 'failed'
}

/** The client has gone, so nothing is sent and nobody waits: only the record is left to write. */
export function settleAborted(exchange: Exchange, counts: TokenCounts): void {
  const { headersSent, statusCode } = exchange.response
  exchange.settle({
    outcome: 'aborted',
    httpStatus: headersSent ? statusCode : CLIENT_CLOSED,
    errorCode: 'client_closed',
    counts,
  })
}

/** Seconds after which a 503 of ours is worth another try. */
const RETRY_AFTER_SECONDS = '5'

export function sendError(request: IncomingMessage, response: ServerResponse, error: AppError): void {
  const { status } = error.definition
  if (status === 503) response.setHeader('retry-after', RETRY_AFTER_SECONDS)
  // The rest of its body is not worth another wait.
  if (status === 408) response.shouldKeepAlive = false
  if (status === 401) response.setHeader('www-authenticate', 'Bearer')
  sendJson(response, status, toOpenAiError(error, localeFrom(request.headers['accept-language'])))
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value))
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length })
  response.end(body)
}
