import { z } from 'zod'
import { isDeeperThan } from '../../domain/json-depth.ts'
import { badRequest, type RequestError } from '../core/request-error.ts'

const tokenCount = z.number().int().min(1)

const sampling = {
  model: z.string().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: tokenCount.nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.number().int().min(0).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  seed: z.number().int().nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
}

const contentPart = z.object({ type: z.literal('text'), text: z.string() })

const message = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant']),
  content: z.union([z.string(), z.array(contentPart)]),
})

const responseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({ type: z.literal('json_schema'), json_schema: z.object({ schema: z.json() }) }),
])

export const chatBody = z.object({
  ...sampling,
  messages: z.array(message).min(1),
  max_completion_tokens: tokenCount.nullish(),
  response_format: responseFormat.nullish(),
})
export type ChatBody = z.infer<typeof chatBody>

export const completionBody = z.object({
  ...sampling,
  prompt: z.union([z.string(), z.array(z.string()).length(1)]),
})
export type CompletionBody = z.infer<typeof completionBody>

const tokenList = z.array(z.number().int().nonnegative()).min(1)

export const embeddingBody = z.object({
  model: z.string().nullish(),
  input: z.union([z.string(), z.array(z.string()).min(1), tokenList, z.array(tokenList).min(1)]),
  encoding_format: z.enum(['float', 'base64']).nullish(),
})
export type EmbeddingBody = z.infer<typeof embeddingBody>

/** Fields this engine cannot honour, with the values that ask for nothing; any other value is refused by name. */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  n: [1],
  best_of: [1],
  logprobs: [false],
  top_logprobs: [0],
  echo: [false],
  suffix: [''],
  tools: [],
  functions: [],
  tool_choice: ['none', 'auto'],
  function_call: ['none', 'auto'],
  presence_penalty: [0],
  frequency_penalty: [0],
  logit_bias: [],
  dimensions: [],
  audio: [],
  prediction: [],
  modalities: [],
  web_search_options: [],
}

/** Room for any schema that can be forced, see `MAX_DEPTH` of the translation; far below what recursion survives. */
const MAX_BODY_DEPTH = 256

/** @throws {RequestError} 400 that names the field. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  if (isDeeperThan(body, MAX_BODY_DEPTH)) {
    throw badRequest('body', `The body is nested deeper than ${MAX_BODY_DEPTH} levels.`)
  }
  refuseUnsupported(body)
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  throw toRequestError(parsed.error.issues, body)
}

function refuseUnsupported(body: unknown): void {
  if (typeof body !== 'object' || body === null) return
  for (const [field, value] of Object.entries(body)) {
    const neutral = Object.hasOwn(NEUTRAL, field) ? NEUTRAL[field] : undefined
    if (neutral === undefined || value === null || neutral.includes(value) || isEmpty(value)) continue
    throw badRequest(field, `'${field}' is not supported by this deployment.`, 'unsupported_parameter')
  }
}

/** `logit_bias: {}` asks for nothing; an empty list of tools is refused by OpenAI, and here. */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
}

function toRequestError(issues: readonly z.core.$ZodIssue[], body: unknown): RequestError {
  const issue = issues[0]
  if (issue === undefined) return badRequest('body', 'The request body is not valid.')
  const { path, message } = deepest(issue)
  const param = pathText(path)
  if (param === '') return badRequest('body', 'The request body must be a JSON object.')
  const missing = valueAt(body, path) === undefined
  return badRequest(param, missing ? `'${param}' is required.` : `Invalid '${param}': ${message}.`)
}

interface Place {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** Of the alternatives of a union the one that got furthest is what the client meant. */
function deepest(issue: z.core.$ZodIssue): Place {
  const here: Place = { path: issue.path, message: issue.message }
  if (issue.code !== 'invalid_union') return here
  const inner = issue.errors.flatMap((issues) => issues.map((nested) => deepest(nested)))
  const best = inner.reduce<Place>((a, b) => (b.path.length > a.path.length ? b : a), { path: [], message: '' })
  if (best.path.length > 0) return { path: [...issue.path, ...best.path], message: best.message }
  const expected = inner.map((place) => place.message.replace(/^Invalid input: /, ''))
  return { path: issue.path, message: [...new Set(expected)].join(', or ') || issue.message }
}

function pathText(path: readonly PropertyKey[]): string {
  return path.map((key, at) => (typeof key === 'number' ? `[${key}]` : `${at > 0 ? '.' : ''}${String(key)}`)).join('')
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    body,
  )
}
