/** One request to a channel's far side. */
export interface Post {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export type Answer =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  /** A word, never a message of the platform: those quote addresses. */
  | { readonly kind: 'failed'; readonly reason: string }

const TIMEOUT_MS = 10_000
const MOST_ANSWER_BYTES = 64 * 1024

/**
 * Sends once. No redirect is followed (a redirect could carry an alert, and a signature over it, to somebody else), no
 * more of the answer is read than a robot says, and all of it ends within ten seconds.
 */
export async function post({ url, headers, body }: Post): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'medley-alerting', ...headers },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    return { kind: 'answer', status: response.status, body: await readSome(response) }
  } catch (error) {
    return { kind: 'failed', reason: reasonOf(error) }
  }
}

async function readSome(response: Response): Promise<string> {
  if (response.body === null) return ''
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of response.body) {
    pieces.push(piece)
    bytes += piece.byteLength
    // Leaving the loop cancels the stream and closes the connection.
    if (bytes >= MOST_ANSWER_BYTES) break
  }
  return Buffer.concat(pieces).subarray(0, MOST_ANSWER_BYTES).toString('utf8')
}

function reasonOf(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'timeout'
  const cause = error instanceof Error ? error.cause : null
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : ''
  return /^[A-Z][A-Z0-9_]{2,40}$/.test(code) ? code : 'unreachable'
}
