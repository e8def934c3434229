import os from 'node:os'

/** Less than this is the ordinary work of time synchronisation. */
const ALLOWANCE_MS = 2_000

export interface HostClock {
  /** What the host believes the time to be, milliseconds since the Unix epoch; may be set at any moment. */
  now(): number
  /** Since the host started, also while it slept; nobody can set it. */
  sinceBoot(): number
  /** Like {@link HostClock.sinceBoot}, but stands still while the host sleeps. */
  awake(): number
}

export const hostClock: HostClock = {
  now: () => Date.now(),
  sinceBoot: () => os.uptime() * 1_000,
  awake: () => performance.now(),
}

export interface ClockJump {
  /** How far the clock was set, forward or back; 0 when the host only slept. */
  readonly setByMs: number
  /** How long the host slept. */
  readonly sleptMs: number
}

/** @returns a function that tells what happened to the host's clock since it was last called; null: nothing */
export function watchClock(clock: HostClock): () => ClockJump | null {
  const read = () => ({ now: clock.now(), sinceBoot: clock.sinceBoot(), awake: clock.awake() })
  let before = read()
  return () => {
    const after = read()
    const boot = after.sinceBoot - before.sinceBoot
    const setByMs = after.now - before.now - boot
    const sleptMs = boot - (after.awake - before.awake)
    before = after
    const beyond = (ms: number): number => (Math.abs(ms) > ALLOWANCE_MS ? Math.round(ms) : 0)
    const jump = { setByMs: beyond(setByMs), sleptMs: Math.max(0, beyond(sleptMs)) }
    return jump.setByMs === 0 && jump.sleptMs === 0 ? null : jump
  }
}
