import type { Capacity } from '../../shared/api/types.ts'
import type { CsvColumn } from '../../shared/csv.ts'

export type VendorRow = Capacity['byVendor'][number]
export type Figure = VendorRow['figures'][number]

/** The figure of the data type that is looked at; null where no sheet gives it. */
export function figureOf(row: VendorRow, dtype: string, sparse: boolean): Figure | null {
  return row.figures.find((figure) => figure.dtype === dtype && figure.sparse === sparse) ?? null
}

/** Largest nominal figure among the rows: what a bar of full width stands for. */
export function widest(rows: readonly VendorRow[], dtype: string, sparse: boolean): number {
  return Math.max(0, ...rows.map((row) => figureOf(row, dtype, sparse)?.nominal ?? 0))
}

/** All data types any sheet of the fleet gives, the one in use first. */
export function dtypesOf(capacity: Pick<Capacity, 'byVendor' | 'assumption'>): readonly string[] {
  const all = capacity.byVendor.flatMap((row) => row.figures.map(({ dtype }) => dtype))
  return [...new Set([capacity.assumption.dtype, ...all.sort()])]
}

interface FigureRow {
  readonly row: VendorRow
  readonly figure: Figure
}

export function figureRows(capacity: Pick<Capacity, 'byVendor'>): readonly FigureRow[] {
  return capacity.byVendor.flatMap((row) => row.figures.map((figure) => ({ row, figure })))
}

export const figureColumns: readonly CsvColumn<FigureRow>[] = [
  ['vendor', ({ row }) => row.vendor],
  ['simulated', ({ row }) => row.simulated],
  ['domestic', ({ row }) => row.domestic],
  ['chips', ({ row }) => row.chips],
  ['chips_without_sheet', ({ row }) => row.chipsWithoutSheet],
  ['dtype', ({ figure }) => figure.dtype],
  ['sparse', ({ figure }) => figure.sparse],
  ['nominal_petaflops', ({ figure }) => figure.nominal],
  ['effective_petaflops', ({ figure }) => figure.effective],
  ['measured_share', ({ figure }) => figure.measuredShare],
  ['confidence', ({ figure }) => figure.confidence],
]
