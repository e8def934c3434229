/** A difference this far from the known one is a clock that was set, not a slow network. */
const JUMP_MS = 2_000
const WEIGHT = 1 / 8

/** Agent's clock minus ours, smoothed over the frames that told of it. */
export interface Skew {
  /** `null` before the first frame that named the agent's time. */
  readonly valueMs: number | null
  /** @param differenceMs agent's time in a frame minus our time when it came */
  take(differenceMs: number): number
}

export function createSkew(): Skew {
  let smoothed: number | null = null
  return {
    get valueMs() {
      return smoothed === null ? null : Math.round(smoothed)
    },
    take(differenceMs) {
      const known = smoothed ?? differenceMs
      smoothed = Math.abs(differenceMs - known) > JUMP_MS ? differenceMs : known + (differenceMs - known) * WEIGHT
      return Math.round(smoothed)
    },
  }
}
