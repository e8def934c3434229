/** The value below which the share `part` of the sorted values lies (nearest rank). @throws RangeError of no values */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((left, right) => left - right)
  const found = sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)]
  if (found === undefined) throw new RangeError('no values')
  return found
}

export interface Point {
  readonly x: number
  readonly y: number
}

/** Slope of the line with the least squared distances; 0 where it has none. */
export function slope(points: readonly Point[]): number {
  const count = points.length
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / count
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / count
  const spread = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0)
  return spread > 0 ? points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread : 0
}
