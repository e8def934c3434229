import type { ChipLabels, ChipReading } from '../ports.ts'
import { CHIP_METRICS, type MetricDefinition } from '../protocol.ts'

export interface OtlpPoint {
  readonly atMs: number
  readonly value: number
  readonly attributes: Readonly<Record<string, string>>
}

/** Points of one metric that go into one request. */
export interface OtlpFamily {
  readonly metric: MetricDefinition
  readonly points: readonly OtlpPoint[]
}

export interface OtlpPoints {
  /** Readings that were not in an earlier batch, in batches of about `most` points. Unknown values make no point. */
  batches(readings: Iterable<ChipReading>, most: number): Generator<readonly OtlpFamily[]>
}

export function createOtlpPoints(labelsOf: (chipUuid: string) => ChipLabels | null): OtlpPoints {
  const exportedAtMs = new Map<string, number>()

  /** @returns points added. */
  function add(reading: ChipReading, families: readonly OtlpPoint[][]): number {
    const { chipUuid, atMs, values } = reading
    const labels = atMs > (exportedAtMs.get(chipUuid) ?? Number.NEGATIVE_INFINITY) ? labelsOf(chipUuid) : null
    if (labels === null) return 0
    exportedAtMs.set(chipUuid, atMs)
    const attributes = { ...labels }
    let added = 0
    for (const [metric, family] of families.entries()) {
      const value = values[metric] ?? null
      if (value === null) continue
      family.push({ atMs, value, attributes })
      added += 1
    }
    return added
  }

  return {
    *batches(readings, most) {
      let families = emptyFamilies()
      let count = 0
      for (const reading of readings) {
        count += add(reading, families)
        if (count < most) continue
        yield named(families)
        families = emptyFamilies()
        count = 0
      }
      if (count > 0) yield named(families)
    },
  }
}

const emptyFamilies = (): OtlpPoint[][] => CHIP_METRICS.map(() => [])

function named(families: readonly (readonly OtlpPoint[])[]): readonly OtlpFamily[] {
  return CHIP_METRICS.flatMap((metric, index) => {
    const points = families[index] ?? []
    return points.length > 0 ? [{ metric, points }] : []
  })
}
