import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from './random.ts'

const MODEL = 'smollm2-135m-instruct'
const KINDS = ['stream', 'whole', 'left', 'unknown-model', 'malformed'] as const
type Kind = (typeof KINDS)[number]
/** Out of ten requests so many of each kind. */
const MIX: readonly Kind[] = [
  'stream',
  'stream',
  'stream',
  'stream',
  'whole',
  'whole',
  'left',
  'left',
  'unknown-model',
  'malformed',
]

/** One request as its client knows it. */
export interface LoggedRequest {
  readonly kind: Kind
  /** Null when no head of an answer ever came. */
  readonly requestId: string | null
  readonly status: number | null
  /**
   * `acknowledged`: the last byte or an error has been received. `left`: the client went by itself. `lost`: the
   * connection broke. `unsent`: there was nobody to connect to.
   */
  readonly end: 'acknowledged' | 'left' | 'lost' | 'unsent'
  /** Tokens that the answer itself claims; null where it claims none. */
  readonly completionTokens: number | null
}

export interface Load {
  readonly log: readonly LoggedRequest[]
  /** Lets running requests end, then resolves. */
  stop(): Promise<void>
}

/** Keeps `concurrency` clients busy with a seeded mix of requests until it is told to stop. */
export function startLoad(
  target: { readonly gatewayUrl: string; readonly apiKey: string },
  random: Random,
  concurrency: number,
): Load {
  const log: LoggedRequest[] = []
  let stopping = false
  const client = async () => {
    while (!stopping) {
      const kind = random.pick(MIX)
      const request = await ask(target, kind, random.between(4, 16))
      log.push(request)
      // As a client does that finds nobody at home.
      if (request.end === 'unsent') await sleep(200)
    }
  }
  const clients = Array.from({ length: concurrency }, client)
  return {
    log,
    stop: async () => {
      stopping = true
      await Promise.all(clients)
    },
  }
}

async function ask(
  { gatewayUrl, apiKey }: { readonly gatewayUrl: string; readonly apiKey: string },
  kind: Kind,
  maxTokens: number,
): Promise<LoggedRequest> {
  const leaving = new AbortController()
  const body = JSON.stringify({
    model: kind === 'unknown-model' ? 'nonesuch' : MODEL,
    messages: [{ role: 'user', content: 'What is the capital of France?' }],
    // Enough that it is still at work when its client leaves.
    max_tokens: kind === 'left' ? 200 : maxTokens,
    ...(kind === 'stream' || kind === 'left' ? { stream: true, stream_options: { include_usage: true } } : {}),
  })
  let response: Response
  try {
    response = await fetch(`${gatewayUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: kind === 'malformed' ? body.slice(0, -1) : body,
      signal: leaving.signal,
    })
  } catch (error) {
    const end = codeOf(error) === 'ECONNREFUSED' ? 'unsent' : 'lost'
    return { kind, requestId: null, status: null, end, completionTokens: null }
  }
  const known = { kind, requestId: response.headers.get('x-request-id'), status: response.status }
  const answer = await readAnswer(response, kind === 'left' ? leaving : null)
  return { ...known, ...answer }
}

/** Reads to the end, or until the first piece when `leaving` is given. */
async function readAnswer(
  response: Response,
  leaving: AbortController | null,
): Promise<Pick<LoggedRequest, 'end' | 'completionTokens'>> {
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
  let text = ''
  try {
    for await (const piece of response.body ?? []) {
      text += Buffer.from(piece).toString('utf8')
      if (isStream) leaving?.abort()
    }
  } catch {
    // The last event makes a stream whole, even when the connection then breaks.
    if (!isStream) return { end: 'lost', completionTokens: null }
  }
  if (isStream && !isOver(text)) return { end: leaving?.signal.aborted ? 'left' : 'lost', completionTokens: null }
  const claimed = /"completion_tokens":(\d+)/.exec(text)?.[1]
  return { end: 'acknowledged', completionTokens: claimed === undefined ? null : Number(claimed) }
}

function isOver(events: string): boolean {
  return events.includes('data: [DONE]') || /^data: \{"error":.*$\n\n/m.test(events)
}

function codeOf(error: unknown): string | null {
  const cause: unknown = error instanceof Error ? error.cause : null
  return cause instanceof Error && 'code' in cause ? String(cause.code) : null
}
