import type { Hole } from './gaps.ts'

/** One chip's readings of one metric, in order of time, and what of the node's time they may cover. */
export interface Readings {
  readonly timesMs: readonly number[]
  /** Each time stands for so long; 1 for single samples. */
  readonly widthMs: number
  readonly fromMs: number
  readonly toMs: number
  readonly toleranceMs: number
}

/**
 * Times in which a metric of a chip was not read: neighbouring points further apart than the tolerance and than a
 * point is wide, or so far from the period's ends, less what is known of as a gap of the whole node.
 *
 * @param known in order of their beginnings
 */
export function unreadTimes({ timesMs, widthMs, fromMs, toMs, toleranceMs }: Readings, known: readonly Hole[]): Hole[] {
  // A point narrower than the tolerance is taken for a moment, as a sample is.
  const lastsMs = widthMs >= toleranceMs ? widthMs : 0
  const unread: Hole[] = []
  let seenToMs = fromMs
  for (const atMs of [...timesMs, toMs]) {
    if (atMs - seenToMs > (lastsMs > 0 ? 0 : toleranceMs)) unread.push({ fromMs: seenToMs, toMs: atMs })
    seenToMs = Math.max(seenToMs, atMs + lastsMs)
  }
  return without(unread, known).filter((hole) => hole.toMs - hole.fromMs >= toleranceMs)
}

/** Both in order: one walk, whatever their numbers. The known ones may overlap. */
function without(holes: readonly Hole[], known: readonly Hole[]): Hole[] {
  const rest: Hole[] = []
  let next = 0
  for (const { fromMs, toMs } of holes) {
    let atMs = fromMs
    while (next < known.length && (known[next]?.fromMs ?? toMs) < toMs) {
      const gap = known[next] ?? { fromMs, toMs }
      if (gap.fromMs > atMs) rest.push({ fromMs: atMs, toMs: gap.fromMs })
      atMs = Math.max(atMs, gap.toMs)
      // It may reach into the next hole as well.
      if (gap.toMs > toMs) break
      next += 1
    }
    if (atMs < toMs) rest.push({ fromMs: atMs, toMs })
  }
  return rest
}
