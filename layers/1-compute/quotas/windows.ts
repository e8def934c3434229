import type { QuotaWindow } from './domain/terms.ts'
import { type Stretch, type TimedWindow, windowAt } from './domain/windows.ts'

/** The windows of now in every zone that a quota was seen to use, worked out once per window. */
export interface Windows {
  learn(zones: readonly string[]): void
  all(nowMs: number): readonly { period: TimedWindow; zone: string; starts: Date; ends: Date }[]
  /** `null` for a level. */
  at(window: QuotaWindow, zone: string, nowMs: number): Stretch | null
}

const TIMED: readonly TimedWindow[] = ['minute', 'day', 'month']

export function createWindows(): Windows {
  const zones = new Set<string>()
  const current = new Map<string, Stretch>()

  function at(window: TimedWindow, zone: string, nowMs: number): Stretch {
    const key = `${window} ${zone}`
    const known = current.get(key)
    // Also when the clock was set back: the window is the one that the instant is in, never the latest one.
    if (known !== undefined && known.startMs <= nowMs && nowMs < known.endMs) return known
    const found = windowAt(window, zone, nowMs)
    current.set(key, found)
    return found
  }

  return {
    learn: (names) => {
      for (const name of names) zones.add(name)
    },
    all: (nowMs) =>
      [...zones].flatMap((zone) =>
        TIMED.map((period) => {
          const { startMs, endMs } = at(period, zone, nowMs)
          return { period, zone, starts: new Date(startMs), ends: new Date(endMs) }
        }),
      ),
    at: (window, zone, nowMs) => (window === 'level' ? null : at(window, zone, nowMs)),
  }
}
