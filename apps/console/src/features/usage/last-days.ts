export interface DayUsage {
  /** `2026-11-23`, UTC. */
  readonly day: string
  readonly requests: number
  readonly promptTokens: number
  readonly completionTokens: number
}

interface DayGroup {
  readonly group: string | null
  readonly requests: number
  readonly promptTokens: number
  readonly completionTokens: number
}

/** One entry per day up to `now`, oldest first. A day without a row had no request: a true 0, not an unknown. */
export function lastDays(groups: readonly DayGroup[], now: Date, count: number): readonly DayUsage[] {
  const known = new Map(groups.map((group) => [group.group?.slice(0, 10), group]))
  return Array.from({ length: count }, (_, index) => {
    const day = new Date(now.getTime() - (count - 1 - index) * 86_400_000).toISOString().slice(0, 10)
    const group = known.get(day)
    return {
      day,
      requests: group?.requests ?? 0,
      promptTokens: group?.promptTokens ?? 0,
      completionTokens: group?.completionTokens ?? 0,
    }
  })
}
