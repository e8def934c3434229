/**
 * Whether arrays and objects are nested in each other more than `limit` times. Iterative: it stands before everything
 * that walks through a client's JSON by calling itself, which a few thousand brackets would take out of its stack.
 */
export function isDeeperThan(value: unknown, limit: number): boolean {
  let level: readonly object[] = isContainer(value) ? [value] : []
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth >= limit) return true
    const next: object[] = []
    for (const container of level) {
      for (const member of Object.values(container)) if (isContainer(member)) next.push(member)
    }
    level = next
  }
  return false
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
