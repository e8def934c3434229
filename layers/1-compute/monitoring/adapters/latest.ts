import type { ChipReading } from '../ports.ts'
import { CHIP_METRICS } from '../protocol.ts'

interface ChipState {
  nodeId: string
  atMs: number
  /** In the order of the catalogue, `NaN` for unknown. */
  readonly values: Float64Array
}

export interface Latest {
  /** @param valueIn reading of the catalogue's metric */
  take(chipUuid: string, nodeId: string, atMs: number, valueIn: (metric: number) => number | null): void
  reading(chipUuid: string): ChipReading | null
  entries(): IterableIterator<[string, Readonly<ChipState>]>
  /** Forgets chips without a reading since. */
  forget(beforeMs: number): void
}

/** The newest reading of each chip. Its arrays are written again and again: no memory is taken for a sample. */
export function createLatest(): Latest {
  const chips = new Map<string, ChipState>()
  return {
    take(chipUuid, nodeId, atMs, valueIn) {
      let chip = chips.get(chipUuid)
      if (!chip) {
        chip = { nodeId, atMs: Number.NEGATIVE_INFINITY, values: new Float64Array(CHIP_METRICS.length) }
        chips.set(chipUuid, chip)
      }
      if (atMs < chip.atMs) return
      chip.nodeId = nodeId
      chip.atMs = atMs
      for (let metric = 0; metric < chip.values.length; metric += 1) {
        chip.values[metric] = valueIn(metric) ?? Number.NaN
      }
    },
    reading(chipUuid) {
      const chip = chips.get(chipUuid)
      if (!chip) return null
      const values = Array.from(chip.values, (value) => (Number.isFinite(value) ? value : null))
      return { chipUuid, nodeId: chip.nodeId, atMs: chip.atMs, values }
    },
    entries: () => chips.entries(),
    forget(beforeMs) {
      for (const [chipUuid, { atMs }] of chips) if (atMs < beforeMs) chips.delete(chipUuid)
    },
  }
}
