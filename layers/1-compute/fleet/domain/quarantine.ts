import type { Transition } from './history.ts'
import { type Coded, isFault } from './state.ts'

export interface QuarantinePolicy {
  /** So many faults ... */
  readonly faults: number
  /** ... within so long, milliseconds. */
  readonly withinMs: number
}

/**
 * Counts how often a chip went from working into a fault. A time in which nobody looked is left out: a chip that is
 * lost before its node goes away and lost after has failed once.
 *
 * @param sinceMs only faults after this count: the last release, or the beginning of the policy's time
 */
export function faultsSince(transitions: readonly Transition[], sinceMs: number): number {
  let faults = 0
  let faulty = false
  for (const { to, evidence, atMs } of transitions) {
    if (to === 'unknown') continue
    const now = isFault({ state: to, evidence })
    if (now && !faulty && atMs > sinceMs) faults += 1
    faulty = now
  }
  return faults
}

/** Why the chip goes into quarantine; `null` where it does not. Only a person lets it out again. */
export function quarantineFor(
  transitions: readonly Transition[],
  policy: QuarantinePolicy,
  { nowMs, releasedAtMs }: { readonly nowMs: number; readonly releasedAtMs: number | null },
): Coded | null {
  const sinceMs = Math.max(nowMs - policy.withinMs, releasedAtMs ?? Number.NEGATIVE_INFINITY)
  const faults = faultsSince(transitions, sinceMs)
  if (faults < policy.faults) return null
  return {
    code: 'repeated-faults',
    params: { count: String(faults), hours: String(Math.round(policy.withinMs / 3_600_000)) },
  }
}
