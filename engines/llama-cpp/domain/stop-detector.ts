/** What may be sent on, and whether a stop string has ended the answer. */
export interface StopOutcome {
  readonly text: string
  readonly stopped: boolean
}

export interface StopDetector {
  push(text: string): StopOutcome
  /** What was held back because it might have become a stop string. */
  flush(): string
}

/**
 * Finds stop strings in a text that comes in pieces. The string that is complete first wins; of two that are complete
 * with the same character the longer one. Text that may still turn into a stop string is held back, so that no client
 * ever sees half of one; the answer does not depend on how the text was cut into pieces.
 */
export function createStopDetector(stops: readonly string[]): StopDetector {
  const wanted = stops.filter((stop) => stop.length > 0)
  let held = ''
  return {
    push(text) {
      const buffer = held + text
      const match = firstMatch(buffer, wanted)
      if (match !== null) {
        held = ''
        return { text: buffer.slice(0, match), stopped: true }
      }
      const keep = Math.max(0, ...wanted.map((stop) => overlap(buffer, stop)))
      held = buffer.slice(buffer.length - keep)
      return { text: buffer.slice(0, buffer.length - keep), stopped: false }
    },
    flush() {
      const rest = held
      held = ''
      return rest
    },
  }
}

/** Start of the stop string that is complete first, or null. */
function firstMatch(buffer: string, stops: readonly string[]): number | null {
  let start: number | null = null
  let end = Number.POSITIVE_INFINITY
  for (const stop of stops) {
    const at = buffer.indexOf(stop)
    if (at < 0) continue
    const stopEnd = at + stop.length
    if (stopEnd < end || (stopEnd === end && at < (start ?? at))) {
      start = at
      end = stopEnd
    }
  }
  return start
}

/** Length of the longest end of `text` that is a proper beginning of `stop`. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length -= 1) {
    if (text.endsWith(stop.slice(0, length))) return length
  }
  return 0
}
