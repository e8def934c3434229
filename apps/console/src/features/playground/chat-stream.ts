import { ApiProblem, send } from '../../shared/api/client.ts'
import { eventData } from '../../shared/api/sse.ts'

export interface ChatSettings {
  readonly system: string
  readonly temperature: number
  readonly maxTokens: number
  /** Null: the engine draws its own. */
  readonly seed: number | null
}

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

export interface TokenUsage {
  readonly promptTokens: number
  readonly cachedTokens: number | null
  readonly completionTokens: number
}

export interface ChatError {
  readonly code: string
  readonly message: string | null
  readonly hint: string | null
}

export type ChatEvent =
  | { readonly kind: 'opened'; readonly requestId: string | null; readonly revisionId: string | null }
  | { readonly kind: 'delta'; readonly text: string }
  | { readonly kind: 'finish'; readonly reason: string }
  | { readonly kind: 'usage'; readonly usage: TokenUsage }
  | { readonly kind: 'error'; readonly error: ChatError }
  | { readonly kind: 'end' }

type Fields = Readonly<Record<string, unknown>>

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
function whole(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

function usageOf(value: unknown): TokenUsage | null {
  const usage = fields(value)
  const promptTokens = whole(usage.prompt_tokens)
  const completionTokens = whole(usage.completion_tokens)
  if (promptTokens === null || completionTokens === null) return null
  return { promptTokens, completionTokens, cachedTokens: whole(fields(usage.prompt_tokens_details).cached_tokens) }
}

/** What one chunk of an OpenAI stream says; several things at once, or nothing. */
export function eventsOf(data: string): readonly ChatEvent[] {
  const chunk = fields(JSON.parse(data))
  if (chunk.error !== undefined && chunk.error !== null) {
    const error = fields(chunk.error)
    const code = text(error.code) ?? text(error.type) ?? 'stream.error'
    return [{ kind: 'error', error: { code, message: text(error.message), hint: null } }]
  }
  const events: ChatEvent[] = []
  const choice = fields(Array.isArray(chunk.choices) ? chunk.choices[0] : undefined)
  const delta = text(fields(choice.delta).content)
  if (delta !== null) events.push({ kind: 'delta', text: delta })
  const reason = text(choice.finish_reason)
  if (reason !== null) events.push({ kind: 'finish', reason })
  const usage = usageOf(chunk.usage)
  if (usage !== null) events.push({ kind: 'usage', usage })
  return events
}

function errorOf(failure: unknown): ChatError {
  if (!(failure instanceof ApiProblem)) {
    return { code: 'console.stream-broken', message: failure instanceof Error ? failure.message : null, hint: null }
  }
  const { code, title, detail, hint } = failure.problem
  return { code, message: detail === null ? title : `${title}. ${detail}`, hint: hint === '' ? null : hint }
}

/**
 * Asks and yields what comes back. A stream that ends without its closing mark is an error, not a short answer.
 * Ends silently when `signal` aborts: whoever stopped it knows.
 */
export async function* streamChat(
  model: string,
  messages: readonly ChatMessage[],
  settings: ChatSettings,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent> {
  const body = {
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
    temperature: settings.temperature,
    max_tokens: settings.maxTokens,
    ...(settings.seed === null ? {} : { seed: settings.seed }),
  }
  try {
    const response = await send('/api/v1/playground/chat', { method: 'POST', body, signal })
    const { headers } = response
    yield { kind: 'opened', requestId: headers.get('x-request-id'), revisionId: headers.get('x-medley-revision') }
    if (response.body === null) throw new Error('empty answer')
    for await (const data of eventData(response.body)) {
      if (data === '[DONE]') return yield { kind: 'end' }
      for (const event of eventsOf(data)) {
        yield event
        if (event.kind === 'error') return
      }
    }
    yield { kind: 'error', error: { code: 'console.stream-broken', message: null, hint: null } }
  } catch (failure) {
    if (!signal.aborted) yield { kind: 'error', error: errorOf(failure) }
  }
}
