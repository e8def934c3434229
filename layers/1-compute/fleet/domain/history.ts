import type { ChipState, Coded, Standing } from './state.ts'

/** One entry of a chip's history of states. */
export interface StateEntry extends Standing {
  /** By the server's clock, milliseconds since the Unix epoch. */
  readonly atMs: number
  /** By the agent's own clock where the agent kept the change: by it a repeated one is known. */
  readonly agentAtMs: number | null
}

export interface Transition {
  readonly atMs: number
  readonly from: ChipState | null
  readonly to: ChipState
  readonly evidence: readonly Coded[]
}

export interface Merged {
  /** New entries, oldest first. The first of a chip without history is the one by which it was found. */
  readonly added: readonly StateEntry[]
  /** What holds now, and since when. */
  readonly current: Transition
  readonly transitions: readonly Transition[]
}

/**
 * Takes what an agent kept (`changes`) and what holds now into a chip's history. Entries are a set: in which order and
 * how often changes arrive makes no difference, and `from` is never written but follows from the entry before. No
 * entry is later than now or earlier than the oldest known one.
 *
 * @param known the end of the history, from at least one entry before the oldest change
 */
export function mergeHistory(
  known: readonly StateEntry[],
  changes: readonly StateEntry[],
  now: Standing & { readonly atMs: number },
): Merged {
  const sorted = known.toSorted(byTime)
  const last = sorted.at(-1)
  const latestMs = Math.max(now.atMs, last?.atMs ?? now.atMs)
  const earliestMs = sorted[0]?.atMs ?? Number.NEGATIVE_INFINITY
  const seen = new Set(known.filter(({ agentAtMs }) => agentAtMs !== null).map(keyOf))
  const added: StateEntry[] = []
  for (const change of changes) {
    if (seen.has(keyOf(change))) continue
    seen.add(keyOf(change))
    added.push({ ...change, atMs: Math.min(latestMs, Math.max(earliestMs, change.atMs)) })
  }
  const all = [...sorted, ...added].toSorted(byTime)
  if (all.at(-1)?.state !== now.state) {
    const entry: StateEntry = { state: now.state, evidence: now.evidence, atMs: latestMs, agentAtMs: null }
    added.push(entry)
    all.push(entry)
  }
  const transitions = transitionsOf(all)
  const current = transitions.at(-1) ?? { atMs: latestMs, from: null, to: now.state, evidence: now.evidence }
  // In the order they are kept: entries of the same millisecond are told apart by it.
  return { added: added.toSorted(byTime), current: { ...current, evidence: now.evidence }, transitions }
}

/** What a reader sees: each entry that changed something, with what was before. */
export function transitionsOf(entries: readonly StateEntry[]): readonly Transition[] {
  const transitions: Transition[] = []
  for (const { atMs, state, evidence } of entries.toSorted(byTime)) {
    const from = transitions.at(-1)?.to ?? null
    if (from !== state) transitions.push({ atMs, from, to: state, evidence })
  }
  return transitions
}

// Stable: entries of the same millisecond stay in the order they were kept.
function byTime(one: StateEntry, other: StateEntry): number {
  return one.atMs - other.atMs
}

function keyOf({ agentAtMs, state }: StateEntry): string {
  return `${agentAtMs} ${state}`
}
