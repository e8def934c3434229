import { countsOfAnswer, parseLoosely, type TokenCounts, UNKNOWN_TOKENS } from './answer.ts'

export interface SseEvent {
  /** What the client gets: the event with its final blank line, without the engine's own comment lines. */
  readonly bytes: Buffer
  readonly kind: 'data' | 'done' | 'error' | 'other'
}

/** An event without its end after this many bytes is no event stream. */
export const MAX_EVENT_BYTES = 8 * 1024 * 1024

const NEWLINE = 0x0a
const RETURN = 0x0d
const COLON = 0x3a
const USAGE_LINE = /^: usage(?:\s|$)/
const USAGE_COUNTS = /^: usage prompt=(\d+) cached=(\d+) completion=(\d+)/
const DONE = /^data: ?\[DONE\]\r?\n/m
const ERROR = /^data: ?\{\s*"error"\s*:/m

/**
 * Cuts an engine's event stream into whole events, at whatever bytes its chunks end. Only whole events are handed
 * on, so that an error event can follow when the engine dies in the middle of one.
 */
export class SseSplitter {
  #rest: Buffer = Buffer.alloc(0)
  #lineStart = 0
  #scanned = 0
  #counts: TokenCounts = UNKNOWN_TOKENS
  #lastWithUsage: Buffer | null = null

  /** Counts from the newest `: usage` line, or from the last event that carried a `usage` object. */
  get counts(): TokenCounts {
    if (this.#counts !== UNKNOWN_TOKENS || this.#lastWithUsage === null) return this.#counts
    return countsOfEvent(this.#lastWithUsage.toString('utf8'))
  }

  /** @throws {RangeError} when an event grows beyond MAX_EVENT_BYTES. */
  push(chunk: Buffer): SseEvent[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const events: SseEvent[] = []
    let eventStart = 0
    for (;;) {
      const newline = this.#rest.indexOf(NEWLINE, this.#scanned)
      if (newline < 0) break
      this.#scanned = newline + 1
      const blank =
        newline === this.#lineStart || (newline === this.#lineStart + 1 && this.#rest[newline - 1] === RETURN)
      this.#lineStart = newline + 1
      if (!blank) continue
      const event = this.#event(this.#rest.subarray(eventStart, newline + 1))
      if (event !== null) events.push(event)
      eventStart = newline + 1
    }
    this.#rest = this.#rest.subarray(eventStart)
    this.#lineStart -= eventStart
    this.#scanned = this.#rest.length
    if (this.#rest.length > MAX_EVENT_BYTES) throw new RangeError('event too large')
    return events
  }

  #event(raw: Buffer): SseEvent | null {
    const bytes = raw[0] === COLON || raw.includes('\n:') ? this.#withoutUsageLines(raw) : raw
    if (bytes === null) return null
    if (this.#counts === UNKNOWN_TOKENS && bytes.includes('"usage":')) this.#lastWithUsage = Buffer.from(bytes)
    return { bytes, kind: kindOf(bytes) }
  }

  /** Null when nothing but usage comments was in the event. */
  #withoutUsageLines(raw: Buffer): Buffer | null {
    const lines = raw.toString('utf8').split('\n')
    const kept = lines.filter((line) => {
      if (!USAGE_LINE.test(line)) return true
      const [, prompt, cached, completion] = USAGE_COUNTS.exec(line) ?? []
      if (prompt !== undefined) {
        this.#counts = {
          promptTokens: Number(prompt),
          cachedTokens: Number(cached),
          completionTokens: Number(completion),
        }
      }
      return false
    })
    if (kept.every((line) => line === '' || line === '\r')) return null
    return kept.length === lines.length ? raw : Buffer.from(kept.join('\n'))
  }
}

function kindOf(bytes: Buffer): SseEvent['kind'] {
  // Only short heads are decoded: a token's event is never one of the two special ones.
  const head = bytes.toString('latin1', 0, 256)
  if (DONE.test(head)) return 'done'
  if (ERROR.test(head)) return 'error'
  return head.includes('data:') ? 'data' : 'other'
}

function countsOfEvent(event: string): TokenCounts {
  const data = event
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5))
    .join('\n')
  return countsOfAnswer(parseLoosely(data))
}
