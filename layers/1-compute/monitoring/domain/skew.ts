/** What frames say that would set a clock back, as long as they may only have been slow on the way. */
export interface Doubt {
  /** Server time of the first of them, milliseconds. */
  readonly sinceMs: number
  readonly frames: number
  readonly leastMs: number
  readonly mostMs: number
}

const FRAMES = 3
/** Frames that were sent together are late together: they must be of different times to agree. */
const APART_MS = 10_000

/**
 * Takes one more frame into the doubt. A frame can be late but never early, so each difference (agent's clock minus
 * ours when it came) is at most the true one: a smaller one alone says nothing.
 *
 * @param slackMs how far apart frames may be that agree
 */
export function doubted(doubt: Doubt | null, differenceMs: number, nowMs: number, slackMs: number): Doubt {
  const leastMs = Math.min(doubt?.leastMs ?? differenceMs, differenceMs)
  const mostMs = Math.max(doubt?.mostMs ?? differenceMs, differenceMs)
  if (doubt === null || mostMs - leastMs > slackMs) {
    return { sinceMs: nowMs, frames: 1, leastMs: differenceMs, mostMs: differenceMs }
  }
  return { sinceMs: doubt.sinceMs, frames: doubt.frames + 1, leastMs, mostMs }
}

/** Whether the frames agree for long enough that the clock was set rather than the network slow. */
export const isAgreed = ({ frames, sinceMs }: Doubt, nowMs: number) => frames >= FRAMES && nowMs - sinceMs >= APART_MS
