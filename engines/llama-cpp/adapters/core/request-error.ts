export interface RequestErrorOptions {
  readonly param?: string
  readonly code?: string
  /** Seconds after which the client may try again. */
  readonly retryAfterSeconds?: number
}

/** A request that cannot be served; leaves the process in OpenAI's error shape. */
export class RequestError extends Error {
  readonly status: number
  readonly type: string
  readonly param: string | null
  readonly code: string | null
  readonly retryAfterSeconds: number | null

  constructor(status: number, message: string, options: RequestErrorOptions = {}) {
    super(message)
    this.name = 'RequestError'
    this.status = status
    this.type = status >= 500 ? 'server_error' : 'invalid_request_error'
    this.param = options.param ?? null
    this.code = options.code ?? null
    this.retryAfterSeconds = options.retryAfterSeconds ?? null
  }
}

/** A 400 that names the field. */
export function badRequest(param: string, message: string, code = 'invalid_value'): RequestError {
  return new RequestError(400, message, { param, code })
}

/** A 503 with Retry-After: the same request may succeed in a moment. */
export function unavailable(message: string, code: string, retryAfterSeconds: number): RequestError {
  return new RequestError(503, message, { code, retryAfterSeconds })
}
