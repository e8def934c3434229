import type { NodeSample, SampleGap, SampleLayout } from './protocol.ts'

export interface ChipReading {
  readonly chipUuid: string
  readonly nodeId: string
  /** Server time of the sample, milliseconds since the Unix epoch. */
  readonly atMs: number
  /** In the order of `CHIP_METRICS`. */
  readonly values: readonly (number | null)[]
}

export type Resolution = 'raw' | 'minute' | 'hour'

export interface SeriesPoint {
  readonly atMs: number
  readonly min: number | null
  readonly mean: number | null
  readonly max: number | null
  readonly samples: number
}

export interface Gap {
  readonly fromMs: number
  readonly toMs: number
  /** `not-read`: the node sent, but without this reading; only in series. */
  readonly reason: SampleGap['reason'] | 'not-read' | 'unknown'
}

export interface Series {
  readonly chipUuid: string
  readonly metric: string
  readonly resolution: Resolution
  readonly points: readonly SeriesPoint[]
  /** Times without samples, each marked as one. */
  readonly gaps: readonly Gap[]
}

/** What labels a chip carries on `/metrics`; given by the fleet, refreshed when it changes. */
export interface ChipLabels {
  readonly vendor: string
  readonly product: string
  readonly chip: string
  readonly index: string
  readonly node: string
  readonly rack: string
  readonly simulated: 'true' | 'false'
}

export interface Monitoring {
  /**
   * Resolves when the samples are durable (group commit, at most a second's wait). The same sample again is dropped.
   * Sample times are the agent's, corrected by `skewMs` where that is more than the allowance.
   * A smaller one than before may only be a late frame: it counts once three calls over ten seconds agree, or where
   * the agent's time has run backwards.
   */
  ingest(batch: {
    readonly nodeId: string
    readonly layout: SampleLayout
    readonly samples: readonly NodeSample[]
    readonly gaps: readonly SampleGap[]
    readonly skewMs: number
    readonly intervalMs: number
  }): Promise<void>
  /** Newest reading; `null` where none is known yet. Also filled from the store after a restart. */
  latest(chipUuid: string): ChipReading | null
  /** @throws AppError `monitoring.metric.unknown`, `monitoring.range` */
  series(query: {
    readonly nodeId: string
    readonly chipUuid: string
    readonly metrics: readonly string[]
    readonly fromMs: number
    readonly toMs: number
    /** Chosen by the range and what is still kept where left out; a coarser one where the time is dropped already. */
    readonly resolution?: Resolution
  }): Promise<readonly Series[]>
  gaps(query: { readonly nodeId: string; readonly fromMs: number; readonly toMs: number }): Promise<readonly Gap[]>
  /** Makes minutes of finished hours and hours of finished days, again where late samples came. */
  compact(nowMs: number): Promise<{ readonly hours: number; readonly days: number }>
  /** Drops what is older than its keeping time. */
  retain(nowMs: number): Promise<void>
  /** Prometheus text exposition, in pieces. */
  exposition(labelsOf: (chipUuid: string) => ChipLabels | null): AsyncIterable<string>
  /** Bytes on disk by table, for the bound that was promised. */
  footprint(): Promise<readonly { readonly table: string; readonly bytes: number; readonly rows: number }[]>
  close(): Promise<void>
}
