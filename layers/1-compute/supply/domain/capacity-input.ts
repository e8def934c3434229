export type Confidence = 'high' | 'medium' | 'low'

/** What a maker says of one chip of a product. */
export interface Sheet {
  readonly product: string
  /** Tera-operations a second of one chip; `sparse`: with structured sparsity. */
  readonly peaks: readonly { readonly dtype: string; readonly teraops: number; readonly sparse: boolean }[]
  readonly bandwidthBytesPerSecond: number | null
  readonly source: string
  readonly confidence: Confidence
}

export interface CapacityVendor {
  readonly name: string
  /** Null: it cannot be told for the vendor as a whole. */
  readonly domestic: boolean | null
  readonly sheets: readonly Sheet[]
}

/** Same words as the fleet's chip states; a domain knows no other module. */
export type CapacityState = 'absent' | 'no-driver' | 'unusable' | 'lost' | 'degraded' | 'healthy' | 'unknown'

/** Why nothing runs on a chip. */
export type IdleCause = 'no-demand' | 'cordoned' | 'maintenance' | 'quarantined' | 'not-usable' | 'away'

export interface CapacityChip {
  readonly uuid: string
  readonly vendor: string
  readonly product: string
  readonly state: CapacityState
  /** Whether new work may be placed on it. */
  readonly usable: boolean
  /** What keeps work away from a chip that is not usable; null where it is. */
  readonly cause: Exclude<IdleCause, 'no-demand'> | null
  readonly simulated: boolean
  /** Measured linear efficiency by event, such as `prefill`; left out or null: not measured. */
  readonly efficiency: Readonly<Record<string, number | null>>
}

/** What one chip did in the last 24 hours. */
export interface ChipUsage {
  readonly chipUuid: string
  /** Seconds in which at least one request ran on it. */
  readonly busySeconds: number
  readonly tokens: number
}

/** What the operator knows better than our sheet. */
export interface SheetOverride {
  readonly vendor: string
  readonly sheet: Sheet
}

export interface CapacityInput {
  readonly at: Date
  /** Of the headline and of all figures that have only one. */
  readonly dtype: string
  readonly chips: readonly CapacityChip[]
  readonly vendors: readonly CapacityVendor[]
  readonly overrides: readonly SheetOverride[]
  readonly usage: readonly ChipUsage[]
}
