import type { Clock, IdFactory } from '@medley/kernel'
import type { Store } from '@medley/store'
import type { Fleet, NodeEnrolment } from './views.ts'

/** Times and counts by which the fleet judges; all have defaults. */
export interface FleetPolicy {
  /** How often agents report and send samples, milliseconds; two of them without a word and a node is away. */
  readonly pollMs: number
  /** On top of two polls: a word may be late without being lost. */
  readonly allowanceMs: number
  /** How often the time a node was last heard is written. */
  readonly flushMs: number
  /** So many faults within so long and a chip is put in quarantine. */
  readonly quarantine: { readonly faults: number; readonly withinMs: number }
}

export interface FleetPorts {
  readonly store: Store
  readonly clock: Clock
  readonly ids: IdFactory
  readonly policy?: Partial<FleetPolicy>
  /** Whether anything still runs on a node that is being drained. Left out: nothing ever does. */
  readonly runsAnything?: (nodeId: string) => Promise<boolean>
}

/** The fleet as the composition root holds it: with what the enrolment may tell it. */
export interface OpenedFleet extends Fleet {
  /**
   * Makes the node, or finds it by its key.
   *
   * @throws AppError `fleet.node.foreign` where another tenant owns it, `fleet.node.revoked`, `fleet.node.other-kind`
   */
  enrol(node: NodeEnrolment): Promise<{ readonly nodeId: string; readonly isNew: boolean }>
  /** The node's key was revoked: it reports no more, and what it had is unknown. Repeating it changes nothing. */
  revoked(nodeId: string): Promise<void>
}

export function createFleet(ports: FleetPorts): OpenedFleet {
  throw new Error(`not built yet ${Object.keys(ports).length}`)
}
