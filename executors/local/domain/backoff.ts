export interface BackoffPolicy {
  readonly initialMs: number
  readonly maxMs: number
  /** A process that was healthy this long is forgiven its earlier failures. */
  readonly resetAfterMs: number
}

export const DEFAULT_BACKOFF: BackoffPolicy = { initialMs: 500, maxMs: 30_000, resetAfterMs: 60_000 }

/** Milliseconds before the next try after `failures` failures in a row: doubling, with a ceiling. */
export function restartDelayMs(policy: BackoffPolicy, failures: number): number {
  if (failures <= 0) return 0
  return Math.min(policy.maxMs, policy.initialMs * 2 ** Math.min(failures - 1, 30))
}

/** Failures in a row after one more, given how long the process had been healthy before it. */
export function countFailure(policy: BackoffPolicy, failures: number, healthyMs: number): number {
  return healthyMs >= policy.resetAfterMs ? 1 : failures + 1
}
