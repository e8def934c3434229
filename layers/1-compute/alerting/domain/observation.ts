import type { ChipState } from './rule.ts'

export interface Coded {
  readonly code: string
  readonly params: Readonly<Record<string, string>>
}

/** What alerting must know of a chip. The same object may be handed in again as long as it was not changed. */
export interface ChipObservation {
  readonly chipId: string
  readonly nodeId: string
  /** For reading, with the name of its node. */
  readonly name: string
  readonly vendor: string
  readonly product: string
  readonly state: ChipState
  readonly evidence: readonly Coded[]
  /** Why it is in quarantine; null: it is not. */
  readonly quarantine: Coded | null
  readonly driverVersion: string | null
  readonly simulated: boolean
  /** Newest reading in the order of the metric catalogue; null before the first. */
  readonly values: readonly (number | null)[] | null
  /** Server time of that reading, milliseconds since the epoch. */
  readonly readAtMs: number | null
}

export interface NodeObservation {
  readonly nodeId: string
  readonly name: string
  /** Whose node it is; null: the compute centre's. */
  readonly tenantId: string | null
  readonly state: 'connected' | 'away' | 'revoked'
  readonly simulated: boolean
  /** A maintenance window is in force. */
  readonly maintenance: boolean
}

/**
 * What is observed at one moment. `complete`: whatever is not named is gone from the fleet. Otherwise only what has
 * changed since the last observation need be named (a chip once more whenever its reading is newer), and the rest is
 * taken to be as it was.
 */
export interface Observation {
  readonly complete: boolean
  readonly nodes: Iterable<NodeObservation>
  readonly chips: Iterable<ChipObservation>
}
