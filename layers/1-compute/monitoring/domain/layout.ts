/** What the columns and rows of a node's samples stand for; metrics by their place in the catalogue. */
export interface Layout {
  readonly chips: readonly string[]
  readonly metrics: readonly number[]
}

/** Places of the columns that are known here, by the catalogue's place; others are dropped, the first of two wins. */
export function knownColumns(
  metrics: readonly string[],
  placeOf: ReadonlyMap<string, number>,
): readonly { readonly metric: number; readonly column: number }[] {
  const columns = new Map<number, number>()
  metrics.forEach((name, column) => {
    const metric = placeOf.get(name)
    if (metric !== undefined && !columns.has(metric)) columns.set(metric, column)
  })
  return [...columns].map(([metric, column]) => ({ metric, column })).sort((a, b) => a.metric - b.metric)
}

/** All chips and metrics that any of the layouts names, in order of appearance and of the catalogue. */
export function unionOf(layouts: readonly Layout[]): Layout {
  const [first] = layouts
  if (layouts.length === 1 && first) return first
  return {
    chips: [...new Set(layouts.flatMap(({ chips }) => chips))],
    metrics: [...new Set(layouts.flatMap(({ metrics }) => metrics))].sort((a, b) => a - b),
  }
}
