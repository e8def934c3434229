import { request } from 'node:http'
import { z } from 'zod'

const ANSWER_CAP_BYTES = 16 * 2 ** 20

/**
 * What an engine says of itself at `GET /health`, read leniently: an engine of a newer version must not be taken
 * for a hanging one.
 */
export const engineHealth = z.object({
  state: z.enum(['starting', 'checking', 'ready', 'failed', 'draining']).catch('starting'),
  /** Share of the loading that is done, 0..1. */
  progress: z.number().nullable().catch(null),
  error: z
    .object({
      code: z.string(),
      params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).catch({}),
    })
    .nullable()
    .catch(null),
  facts: z.json().nullable().catch(null),
})
export type EngineHealth = z.infer<typeof engineHealth>

export interface EngineAnswer {
  readonly status: number
  readonly body: unknown
}

/**
 * One HTTP exchange with an engine over `unix:/path` or `http://host:port`.
 *
 * @throws when nobody listens, the answer is no JSON or too long, or `signal` aborts.
 */
export function callEngine(
  endpoint: string,
  call: { readonly path: string; readonly body?: unknown; readonly signal: AbortSignal },
): Promise<EngineAnswer> {
  const payload = call.body === undefined ? null : JSON.stringify(call.body)
  const target = endpoint.startsWith('unix:')
    ? { socketPath: endpoint.slice('unix:'.length), host: 'localhost' }
    : { host: new URL(endpoint).hostname, port: new URL(endpoint).port }
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        ...target,
        path: call.path,
        method: payload === null ? 'GET' : 'POST',
        headers:
          payload === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) },
        agent: false,
        signal: call.signal,
      },
      (incoming) => {
        const chunks: Buffer[] = []
        let bytes = 0
        incoming.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes > ANSWER_CAP_BYTES) incoming.destroy(new Error('answer too long'))
          else chunks.push(chunk)
        })
        incoming.once('error', reject)
        incoming.once('end', () => {
          try {
            resolve({ status: incoming.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) })
          } catch (error) {
            reject(error)
          }
        })
      },
    )
    outgoing.once('error', reject)
    outgoing.end(payload ?? undefined)
  })
}

/** Health whatever the status code (an engine that loads answers 503); `null` when there is no answer in time. */
export async function readHealth(endpoint: string, timeoutMs: number): Promise<EngineHealth | null> {
  try {
    const answer = await callEngine(endpoint, { path: '/health', signal: AbortSignal.timeout(timeoutMs) })
    const health = engineHealth.safeParse(answer.body)
    return health.success ? health.data : null
  } catch {
    return null
  }
}
