import type { ChipFacts, ChipHealth } from '@medley/fleet/protocol'
import { CHIP_METRICS, type SampleLayout } from '@medley/monitoring/protocol'

const HEALTH_RATIO: Readonly<Record<ChipHealth, number | null>> = {
  healthy: 1,
  degraded: 0.5,
  unusable: 0,
  lost: 0,
  unknown: null,
}

/** The readings that are facts of their own; all others are sensors by the names of the catalogue. */
const FACTS = [
  'utilizationRatio',
  'memoryUsedBytes',
  'memoryTotalBytes',
  'temperatureCelsius',
  'powerWatts',
  'cardPowerWatts',
  'eccErrorsUncorrected',
] as const satisfies readonly (keyof ChipFacts)[]
const FACT_NAMES: ReadonlyMap<string, (typeof FACTS)[number]> = new Map(FACTS.map((name) => [name, name]))

/** Null where the chip does not say. */
export function readingOf(chip: ChipFacts, metric: string): number | null {
  if (metric === 'healthRatio') return HEALTH_RATIO[chip.health]
  const fact = FACT_NAMES.get(metric)
  return (fact === undefined ? chip.sensors?.[metric] : chip[fact]) ?? null
}

/** The catalogue's metrics that at least one of the chips has, in the catalogue's order. */
export function metricsOf(chips: readonly ChipFacts[]): readonly string[] {
  return CHIP_METRICS.map(({ name }) => name).filter((name) => chips.some((chip) => readingOf(chip, name) !== null))
}

/** Row after row; `NaN` for what is unknown, also for a chip that is gone. */
export function flatReadings(chips: readonly ChipFacts[], layout: SampleLayout): Float64Array {
  const byUuid = new Map(chips.map((chip) => [chip.uuid, chip]))
  const values = new Float64Array(layout.chips.length * layout.metrics.length)
  layout.chips.forEach((uuid, row) => {
    const chip = byUuid.get(uuid)
    layout.metrics.forEach((metric, column) => {
      values[row * layout.metrics.length + column] = (chip && readingOf(chip, metric)) ?? Number.NaN
    })
  })
  return values
}

/** As the channel carries them: a list per chip, null for unknown. */
export function rowsOf(values: Float64Array, columns: number): (number | null)[][] {
  const rows: (number | null)[][] = []
  for (let start = 0; start < values.length; start += columns)
    rows.push([...values.subarray(start, start + columns)].map((value) => (Number.isFinite(value) ? value : null)))
  return rows
}
