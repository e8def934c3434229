/** Where one rule stands with one subject. No standing: all is well. Times in milliseconds since the epoch. */
export interface Standing {
  /** True but not for long enough; called; called, and no longer true but not for long enough. */
  readonly phase: 'pending' | 'firing' | 'recovering'
  /** When the phase began, moved forward by the times in which nobody knew. */
  readonly sinceMs: number
  /** Set while it is not known whether the condition holds: the clock of the phase stands still. */
  readonly unknownSinceMs: number | null
}

export interface Step {
  readonly standing: Standing | null
  readonly event: 'firing' | 'resolved' | null
}

/**
 * One evaluation. `holds: null` (no data, or a node in maintenance) neither fires nor resolves and counts towards no
 * duration. A firing alert resolves after its condition was false for as long as it had to be true, and never in the
 * evaluation that first saw it false; so a value that swings around its threshold makes one alert, not many.
 */
export function advance(standing: Standing | null, holds: boolean | null, forMs: number, nowMs: number): Step {
  if (holds === null) return { standing: stopClock(standing, nowMs), event: null }
  const known = standing && resumeClock(standing, nowMs)
  return holds ? whileTrue(known, forMs, nowMs) : whileFalse(known, forMs, nowMs)
}

function whileTrue(standing: Standing | null, forMs: number, nowMs: number): Step {
  if (standing?.phase === 'firing') return { standing, event: null }
  if (standing?.phase === 'recovering') return { standing: enter('firing', nowMs), event: null }
  const sinceMs = standing?.sinceMs ?? nowMs
  if (nowMs - sinceMs >= forMs) return { standing: enter('firing', nowMs), event: 'firing' }
  return { standing: standing ?? enter('pending', nowMs), event: null }
}

function whileFalse(standing: Standing | null, forMs: number, nowMs: number): Step {
  if (standing === null || standing.phase === 'pending') return { standing: null, event: null }
  if (standing.phase === 'firing') return { standing: enter('recovering', nowMs), event: null }
  if (nowMs - standing.sinceMs < forMs) return { standing, event: null }
  return { standing: null, event: 'resolved' }
}

function enter(phase: Standing['phase'], nowMs: number): Standing {
  return { phase, sinceMs: nowMs, unknownSinceMs: null }
}

/** A firing alert has no clock that could stop: nothing about it depends on how long it has been so. */
function stopClock(standing: Standing | null, nowMs: number): Standing | null {
  if (standing === null || standing.phase === 'firing' || standing.unknownSinceMs !== null) return standing
  return { ...standing, unknownSinceMs: nowMs }
}

function resumeClock(standing: Standing, nowMs: number): Standing {
  if (standing.unknownSinceMs === null) return standing
  const gapMs = Math.max(0, nowMs - standing.unknownSinceMs)
  return { ...standing, sinceMs: standing.sinceMs + gapMs, unknownSinceMs: null }
}
