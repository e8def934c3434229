import { currentLocale } from '../../i18n/locale.tsx'

/** The parts of an RFC 9457 problem that a reader needs; `title` and `hint` come in the language asked for. */
export interface ProblemBody {
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string | null
  readonly hint: string
  readonly errors: readonly { readonly path: string; readonly message: string }[]
}

/** Every failed call, one shape. `status` 0 means that no answer came at all. */
export class ApiProblem extends Error {
  readonly problem: ProblemBody
  constructor(problem: ProblemBody, options?: ErrorOptions) {
    super(problem.title, options)
    this.name = 'ApiProblem'
    this.problem = problem
  }
}

const offline = {
  en: {
    title: 'The factory does not answer',
    hint: 'Check that `medley up` is running on the machine, then try again.',
  },
  'zh-CN': { title: '连不上工厂', hint: '请确认机器上的 `medley up` 正在运行，然后重试。' },
} as const

function unreachable(cause: unknown): ApiProblem {
  const words = offline[currentLocale()]
  const detail = cause instanceof Error ? cause.message : null
  return new ApiProblem({ ...words, status: 0, code: 'console.unreachable', detail, errors: [] }, { cause })
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/** Reads a problem from an answer that may also be a proxy's page or an identity provider's `{code, message}`. */
async function problemFrom(response: Response): Promise<ApiProblem> {
  const body = fieldsOf(await response.json().catch(() => null))
  // The gateway answers in OpenAI's shape: the same words, one level down.
  const fields = body.error === undefined ? body : fieldsOf(body.error)
  const errors = Array.isArray(fields.errors) ? fields.errors : []
  return new ApiProblem({
    title: text(fields.title) ?? text(fields.message) ?? `HTTP ${response.status}`,
    status: response.status,
    code: text(fields.code) ?? `http.${response.status}`,
    detail: text(fields.detail),
    hint: text(fields.hint) ?? '',
    errors: errors.flatMap((entry: unknown) => {
      const field = fieldsOf(entry)
      return [{ path: text(field.path) ?? '', message: text(field.message) ?? '' }]
    }),
  })
}

/** A random identifier that also works on plain HTTP, where `crypto.randomUUID` is missing. */
function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly body?: unknown
  readonly signal?: AbortSignal
}

/** One call to the same origin; resolves to the raw answer when it succeeded. @throws ApiProblem */
export async function send(path: string, options: RequestOptions = {}): Promise<Response> {
  const method = options.method ?? 'GET'
  const headers: Record<string, string> = { accept: 'application/json', 'accept-language': currentLocale() }
  if (method !== 'GET') headers['idempotency-key'] = randomId()
  if (options.body !== undefined) headers['content-type'] = 'application/json'
  const response = await fetch(path, {
    method,
    headers,
    credentials: 'same-origin',
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  }).catch((cause: unknown) => {
    if (options.signal?.aborted) throw cause
    throw unreachable(cause)
  })
  if (!response.ok) throw await problemFrom(response)
  return response
}

/** As {@link send}, with the JSON body read; the caller names the shape the contract promises. @throws ApiProblem */
export async function request<Body>(path: string, options: RequestOptions = {}): Promise<Body> {
  const response = await send(path, options)
  const body: Body = response.status === 204 ? null : await response.json()
  return body
}
