import type { ChipChange, ChipFacts } from '@medley/fleet/protocol'

/** Far beyond what happens in a night without a server, and a tenth of what a report may carry. */
const MOST_CHANGES = 1_000

export interface ChangeLog {
  note(before: readonly ChipFacts[], after: readonly ChipFacts[], atMs: number): void
  /** Oldest first. */
  all(): readonly ChipChange[]
  /** The server knows these. */
  forget(told: readonly ChipChange[]): void
}

/** What happened to the chips since the server last heard of them; when there is too much, the oldest is dropped. */
export function createChangeLog(): ChangeLog {
  let changes: readonly ChipChange[] = []
  return {
    note: (before, after, atMs) => {
      const found = changesBetween(before, after, atMs)
      if (found.length > 0) changes = [...changes, ...found].slice(-MOST_CHANGES)
    },
    all: () => changes,
    forget: (told) => {
      const known = new Set(told)
      changes = changes.filter((change) => !known.has(change))
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
