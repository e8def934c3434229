/** What a server's answer means for a download that holds `offset` bytes already. */
export type ResumePlan =
  | { readonly kind: 'append' }
  /** The body starts at byte 0: overwrite what is there. */
  | { readonly kind: 'overwrite' }
  /** What is there does not fit this server's file: throw it away and ask again. */
  | { readonly kind: 'discard' }
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs: number | null }
  | { readonly kind: 'refuse'; readonly reason: string }

export interface RangeAnswer {
  readonly status: number
  readonly contentRange: string | null
  readonly contentLength: string | null
  readonly retryAfter: string | null
}

/** Reads a `Content-Range: bytes first-last/total` (RFC 9110 section 14.4); null where it is not one. */
function parseContentRange(value: string | null): { first: number; total: number | null } | null {
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(value?.trim() ?? '')
  if (!match) return null
  return { first: Number(match[1]), total: match[2] === '*' ? null : Number(match[2]) }
}

/** Decides how to go on. `offset` and `expectedBytes` are counts of bytes of the whole file. */
export function planResume(offset: number, expectedBytes: number, answer: RangeAnswer): ResumePlan {
  if (answer.status === 206) {
    const range = parseContentRange(answer.contentRange)
    if (range && range.total !== null && range.total !== expectedBytes) return wrongSize(range.total, expectedBytes)
    return range?.first === offset ? { kind: 'append' } : { kind: 'discard' }
  }
  if (answer.status === 200) {
    const length = answer.contentLength === null ? null : Number(answer.contentLength)
    return length !== null && length !== expectedBytes ? wrongSize(length, expectedBytes) : { kind: 'overwrite' }
  }
  if (answer.status === 416) return { kind: 'discard' }
  const reason = `the server answered ${answer.status}`
  if (answer.status === 408 || answer.status === 429 || answer.status >= 500) {
    return { kind: 'retry', reason, afterMs: secondsToMs(answer.retryAfter) }
  }
  return { kind: 'refuse', reason }
}

function wrongSize(found: number, expected: number): ResumePlan {
  return { kind: 'refuse', reason: `the file there has ${found} bytes where ${expected} were expected` }
}

function secondsToMs(value: string | null): number | null {
  return value !== null && /^\d+$/.test(value) ? Number(value) * 1000 : null
}
