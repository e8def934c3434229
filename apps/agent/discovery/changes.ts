import type { ChipChange, ChipFacts } from '@medley/fleet/protocol'

/** Far beyond what happens in a night without a server, and a tenth of what a report may carry. */
const MOST_CHANGES = 1_000

export interface ChangeLog {
  note(before: readonly ChipFacts[], after: readonly ChipFacts[], atMs: number): void
  /** Oldest first. */
  all(): readonly ChipChange[]
  /** The server knows these. */
  forget(told: readonly ChipChange[], lostBeforeMs?: number): void
  /** Changes up to this time (the agent's clock) were dropped before the server heard of them; null: none were. */
  readonly lostBeforeMs: number | null
}

/** What happened to the chips since the server last heard of them; when there is too much, the oldest is dropped, and that is told. */
export function createChangeLog(): ChangeLog {
  let changes: readonly ChipChange[] = []
  let lostBeforeMs: number | null = null
  return {
    note: (before, after, atMs) => {
      const found = changesBetween(before, after, atMs)
      if (found.length === 0) return
      const all = [...changes, ...found]
      changes = all.slice(-MOST_CHANGES)
      lostBeforeMs = all.at(-MOST_CHANGES - 1)?.atMs ?? lostBeforeMs
    },
    all: () => changes,
    forget: (told, toldLostBeforeMs) => {
      const known = new Set(told)
      changes = changes.filter((change) => !known.has(change))
      // Unless more were dropped meanwhile.
      if (lostBeforeMs === toldLostBeforeMs) lostBeforeMs = null
    },
    get lostBeforeMs() {
      return lostBeforeMs
    },
  }
}

function changesBetween(before: readonly ChipFacts[], after: readonly ChipFacts[], atMs: number): ChipChange[] {
  const was = new Map(before.map((chip) => [chip.uuid, chip]))
  const is = new Set(after.map((chip) => chip.uuid))
  const changed = after.filter((chip) => {
    const earlier = was.get(chip.uuid)
    return earlier === undefined || markOf(earlier) !== markOf(chip)
  })
  return [
    ...changed.map(({ uuid, health, healthReasons }) => ({ uuid, atMs, health, healthReasons })),
    ...before
      .filter((chip) => !is.has(chip.uuid))
      .map(({ uuid }) => ({ uuid, atMs, health: 'absent' as const, healthReasons: [] })),
  ]
}

function markOf({ health, healthReasons }: ChipFacts): string {
  return JSON.stringify([health, healthReasons])
}
