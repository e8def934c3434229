import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { asCount, member, parseLoosely as parse, type TokenCounts, UNKNOWN_TOKENS } from '../domain/answer.ts'

export interface UpstreamCall {
  readonly endpoint: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly idleMs: number
  readonly signal: AbortSignal
}

/**
 * Before the first response byte: `refused` never reached an engine, `lost` may have been begun by one, `silent` was
 * taken by one that then said nothing for `idleMs`.
 */
export type UpstreamOutcome =
  | { readonly kind: 'answered'; readonly response: IncomingMessage }
  | { readonly kind: 'refused' | 'lost' | 'silent'; readonly cause: Error }

export interface Upstream {
  send(call: UpstreamCall): Promise<UpstreamOutcome>
  isHealthy(endpoint: string): Promise<boolean>
  /** What an engine counted for a request; unknown when it cannot tell within a second. */
  countsOf(endpoint: string, requestId: string): Promise<TokenCounts>
  close(): void
}

const PROBE_MS = 1000
const REFUSALS = new Set(['ECONNREFUSED', 'ENOENT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAGAIN'])

/** Keep-alive connections to engines, over a Unix socket (`unix:/path`) or TCP (`http://host:port`). */
export function createUpstream(): Upstream {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 256, scheduling: 'lifo' })
  return {
    send: ({ endpoint, path, headers, body, idleMs, signal }) =>
      new Promise((resolve) => {
        const outgoing = request({ ...addressOf(endpoint), agent, method: 'POST', path, headers, signal })
        outgoing.setTimeout(idleMs, () => {
          const cause = new Error('the engine was silent for too long')
          resolve({ kind: 'silent', cause })
          outgoing.destroy(cause)
        })
        outgoing.on('response', (response) => resolve({ kind: 'answered', response }))
        // Stays on after the response: a connection that breaks later is seen on the response itself.
        outgoing.on('error', (cause) => resolve({ kind: isRefusal(cause) ? 'refused' : 'lost', cause }))
        outgoing.end(body)
      }),
    isHealthy: async (endpoint) => {
      const answer = await get(agent, endpoint, '/health')
      if (answer?.status !== 200) return false
      // An engine may answer 200 while it loads, and say so; one that names no state has none to name.
      const state = member(parse(answer.body), 'state')
      return state === undefined || state === 'ready'
    },
    countsOf: async (endpoint, requestId) => {
      const answer = await get(agent, endpoint, `/internal/requests/${requestId}`)
      return answer?.status === 200 ? parseCounts(answer.body) : UNKNOWN_TOKENS
    },
    close: () => agent.destroy(),
  }
}

function addressOf(endpoint: string): RequestOptions {
  if (endpoint.startsWith('unix:')) return { socketPath: endpoint.slice('unix:'.length), host: 'localhost' }
  const url = new URL(endpoint)
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? 80 : Number(url.port) }
}

function isRefusal(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && REFUSALS.has(error.code)
}

function get(agent: Agent, endpoint: string, path: string): Promise<{ status: number; body: string } | null> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(PROBE_MS)
    const outgoing = request({ ...addressOf(endpoint), agent, method: 'GET', path, signal }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', () => resolve(null))
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') })
      })
    })
    outgoing.on('error', () => resolve(null))
    outgoing.end()
  })
}

function parseCounts(body: string): TokenCounts {
  const value = parse(body)
  return {
    promptTokens: asCount(member(value, 'promptTokens')),
    cachedTokens: asCount(member(value, 'cachedTokens')),
    completionTokens: asCount(member(value, 'completionTokens')),
  }
}
