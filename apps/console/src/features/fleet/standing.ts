import type { FleetCell } from '../../shared/api/types.ts'

/** Below this a chip counts as idle: drivers report a few per cent while nothing runs. */
const busyFrom = 0.05

/** Readings of a chip that nobody can see now are of some earlier time: on a map of now they count as unknown. */
export function asOfNow(cell: FleetCell): FleetCell {
  return cell.state === 'unknown' ? { ...cell, utilizationRatio: null, temperatureCelsius: null } : cell
}

export type Standing = 'busy' | 'idle' | 'sick' | 'unknown'

/** What an operator asks of a chip first. Sick: anything between degraded and missing, and what is quarantined. */
export function standingOf(cell: Pick<FleetCell, 'state' | 'quarantined' | 'utilizationRatio'>): Standing {
  if (cell.quarantined) return 'sick'
  if (cell.state === 'unknown') return 'unknown'
  if (cell.state !== 'healthy') return 'sick'
  return (cell.utilizationRatio ?? 0) >= busyFrom ? 'busy' : 'idle'
}

export interface GroupFigures {
  readonly key: string | null
  readonly nodes: number
  readonly chips: number
  /** Healthy or degraded, and not quarantined. */
  readonly usable: number
  readonly busy: number
  readonly sick: number
  readonly unknown: number
  readonly simulated: number
  /** Mean over the chips that report it; null where none does. */
  readonly utilizationRatio: number | null
}

function figuresOf(key: string | null, cells: readonly FleetCell[]): GroupFigures {
  const measured = cells.flatMap((cell) => (cell.utilizationRatio === null ? [] : [cell.utilizationRatio]))
  const count = (test: (cell: FleetCell) => boolean) => cells.filter(test).length
  return {
    key,
    nodes: new Set(cells.map((cell) => cell.nodeId)).size,
    chips: cells.length,
    usable: count((cell) => !cell.quarantined && (cell.state === 'healthy' || cell.state === 'degraded')),
    busy: count((cell) => standingOf(cell) === 'busy'),
    sick: count((cell) => standingOf(cell) === 'sick'),
    unknown: count((cell) => standingOf(cell) === 'unknown'),
    simulated: count((cell) => cell.simulated),
    utilizationRatio: measured.length === 0 ? null : measured.reduce((sum, value) => sum + value, 0) / measured.length,
  }
}

/** Figures by rack or vendor, in the order of the keys, what has none last. */
export function figuresBy(
  cells: readonly FleetCell[],
  read: (cell: FleetCell) => string | null,
): readonly GroupFigures[] {
  const order = new Intl.Collator('en', { numeric: true })
  const groups = [...Map.groupBy(cells, read)].map(([key, members]) => figuresOf(key, members))
  return groups.sort(
    (a, b) => Number(a.key === null) - Number(b.key === null) || order.compare(a.key ?? '', b.key ?? ''),
  )
}

/**
 * Chips whose driver differs from the one most chips of their product have. Where no version has the majority nobody
 * can say which one drifted, so none is marked.
 */
export function driftedChips(cells: readonly FleetCell[]): ReadonlySet<string> {
  const drifted = new Set<string>()
  for (const members of Map.groupBy(cells, (cell) => `${cell.vendor} ${cell.product}`).values()) {
    const known = members.filter((cell) => cell.driverVersion !== null)
    const versions = [...Map.groupBy(known, (cell) => cell.driverVersion)].sort(([, a], [, b]) => b.length - a.length)
    const [usual, majority] = versions[0] ?? [null, []]
    if (majority.length * 2 <= known.length) continue
    for (const cell of known) if (cell.driverVersion !== usual) drifted.add(cell.chipId)
  }
  return drifted
}
