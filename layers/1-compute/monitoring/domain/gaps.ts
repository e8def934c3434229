/** Two neighbouring samples further apart than the tolerance. Every time of it lies in one piece of history unseen. */
export interface Hole {
  readonly fromMs: number
  readonly toMs: number
}

/** What is known of a node's sample times: the two ends, and the holes between them. */
export interface Timeline {
  readonly firstMs: number | null
  readonly newestMs: number | null
  readonly holes: readonly Hole[]
}

/** One missed sample is noise on the way; from this many intervals on, time is marked as unseen. */
const TOLERATED_INTERVALS = 2.5

export const toleranceOf = (intervalMs: number) => intervalMs * TOLERATED_INTERVALS

/**
 * Takes sample times in any order, known ones again too. The holes depend on the set of times only: a time inside a
 * hole parts it, and pieces within the tolerance vanish; a time elsewhere lies between neighbours close enough.
 */
export function withSamples(timeline: Timeline, timesMs: readonly number[], toleranceMs: number): Timeline {
  let { firstMs, newestMs } = timeline
  const holes = [...timeline.holes]
  const mark = (fromMs: number, toMs: number) => {
    if (toMs - fromMs > toleranceMs) holes.push({ fromMs, toMs })
  }
  for (const at of timesMs) {
    if (firstMs === null || newestMs === null) {
      firstMs = at
      newestMs = at
    } else if (at > newestMs) {
      mark(newestMs, at)
      newestMs = at
    } else if (at < firstMs) {
      mark(at, firstMs)
      firstMs = at
    } else {
      const found = holes.findIndex(({ fromMs, toMs }) => fromMs < at && at < toMs)
      const [hole] = found < 0 ? [] : holes.splice(found, 1)
      if (hole) {
        mark(hole.fromMs, at)
        mark(at, hole.toMs)
      }
    }
  }
  return { firstMs, newestMs, holes }
}

/**
 * Takes times of samples that came too late to be kept. They only move the beginning: nothing is stored there, so
 * what follows is a hole, and the newest kept sample stays what it was.
 */
export function withLostSamples(timeline: Timeline, timesMs: readonly number[], toleranceMs: number): Timeline {
  const earliest = timesMs.reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY)
  if (earliest >= (timeline.firstMs ?? Number.POSITIVE_INFINITY)) return timeline
  return withSamples(timeline, [earliest], toleranceMs)
}

export interface GapReport<Reason extends string> extends Hole {
  readonly reason: Reason
  /** A sample lies inside after all: it only tells why there are holes. */
  readonly filled: boolean
}

/**
 * Holes with the reason the agent gave, and what the agent told of without there being a hole: a short stop, or a
 * time from which no sample has come yet. One walk over both, whatever their numbers.
 *
 * @param holes disjoint, in any order
 */
export function explainedGaps<Reason extends string>(
  holes: readonly Hole[],
  reports: readonly GapReport<Reason>[],
): (Hole & { readonly reason: Reason | 'unknown' })[] {
  const explained = [...holes].sort(byTime).map((hole) => ({ ...hole, reason: 'unknown' as Reason | 'unknown' }))
  const longest = new Float64Array(explained.length)
  const alone: Explained<Reason>[] = []
  let first = 0
  for (const { fromMs, toMs, reason, filled } of disjoint(reports)) {
    while ((explained[first]?.toMs ?? Number.POSITIVE_INFINITY) <= fromMs) first += 1
    let at = first
    for (let hole = explained[at]; hole && hole.fromMs < toMs; at += 1, hole = explained[at]) {
      const shared = Math.min(hole.toMs, toMs) - Math.max(hole.fromMs, fromMs)
      if (shared <= (longest[at] ?? 0)) continue
      longest[at] = shared
      hole.reason = reason
    }
    if (at === first && !filled) alone.push({ fromMs, toMs, reason })
  }
  return [...explained, ...alone].sort(byTime)
}

type Explained<Reason> = { fromMs: number; toMs: number; reason: Reason | 'unknown' }

const byTime = (a: Hole, b: Hole) => a.fromMs - b.fromMs || a.toMs - b.toMs

/** Each time with the first that told of it, so that no hole meets more reports than begin or end in it. */
function disjoint<Reason extends string>(reports: readonly GapReport<Reason>[]): GapReport<Reason>[] {
  let toldToMs = Number.NEGATIVE_INFINITY
  return [...reports].sort(byTime).flatMap((report) => {
    const fromMs = Math.max(report.fromMs, toldToMs)
    if (fromMs >= report.toMs) return []
    toldToMs = report.toMs
    return [{ ...report, fromMs }]
  })
}
