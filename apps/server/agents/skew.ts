import { type Doubt, doubted, isAgreed } from '@medley/monitoring'

/** A difference this far from the known one is a clock that was set, or a frame that was late. */
const JUMP_MS = 2_000
/** Frames of which the least late one counts: two minutes' worth at the usual interval, so that drift is followed. */
const WINDOW = 8

/** Agent's clock minus ours, by the least late of the newest frames that told of it. */
export interface Skew {
  /** `null` before the first frame that named the agent's time. */
  readonly valueMs: number | null
  /** @param agentMs agent's time in a frame @param nowMs our time when it came */
  take(agentMs: number, nowMs: number): number
}

export function createSkew(): Skew {
  let newest: number[] = []
  let value: number | null = null
  let doubt: Doubt | null = null
  let lastAgentMs = Number.NEGATIVE_INFINITY

  function start(differenceMs: number): number {
    newest = [differenceMs]
    doubt = null
    return differenceMs
  }

  function following(known: number, differenceMs: number, nowMs: number, wentBack: boolean): number {
    // No network makes a frame early or an agent's time run backwards.
    if (wentBack || differenceMs > known + JUMP_MS) return start(differenceMs)
    if (differenceMs < known - JUMP_MS) {
      doubt = doubted(doubt, differenceMs, nowMs, JUMP_MS)
      return isAgreed(doubt, nowMs) ? start(doubt.mostMs) : known
    }
    doubt = null
    newest = [...newest, differenceMs].slice(-WINDOW)
    return Math.max(...newest)
  }

  return {
    get valueMs() {
      return value
    },
    take(agentMs, nowMs) {
      const differenceMs = Math.round(agentMs - nowMs)
      const wentBack = agentMs < lastAgentMs - JUMP_MS
      lastAgentMs = agentMs
      value = value === null ? start(differenceMs) : following(value, differenceMs, nowMs, wentBack)
      return value
    },
  }
}
