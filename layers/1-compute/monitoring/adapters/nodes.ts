import type { Timeline } from '../domain/gaps.ts'

/** What is held in memory of each node that has readings. As stored: changed only after a commit. */
export interface NodeState {
  readonly nodeId: string
  /** `null` until its first samples are stored. */
  number: number | null
  firstMs: number | null
  newestMs: number | null
  intervalMs: number
  /** What the store holds of it; written when it changes. */
  storedIntervalMs: number | null
  skewMs: number
  storedSkewMs: number
  /** Until when the agent told of times without samples: one that comes below may fill one. */
  reportedToMs: number
}

export const DEFAULT_INTERVAL_MS = 15_000
/** Clocks kept by NTP are far closer; less than this changes nobody's picture. */
const SKEW_ALLOWANCE_MS = 5_000

export interface Nodes {
  of(nodeId: string): NodeState
  find(nodeId: string): NodeState | undefined
  byNumber(number: number): NodeState | undefined
  numbered(node: NodeState, number: number): void
}

export function createNodes(): Nodes {
  const byId = new Map<string, NodeState>()
  const byNumber = new Map<number, NodeState>()
  return {
    of(nodeId) {
      const known = byId.get(nodeId)
      if (known) return known
      const fresh: NodeState = {
        nodeId,
        number: null,
        firstMs: null,
        newestMs: null,
        intervalMs: DEFAULT_INTERVAL_MS,
        storedIntervalMs: null,
        skewMs: 0,
        storedSkewMs: 0,
        reportedToMs: Number.NEGATIVE_INFINITY,
      }
      byId.set(nodeId, fresh)
      return fresh
    },
    find: (nodeId) => byId.get(nodeId),
    byNumber: (number) => byNumber.get(number),
    numbered(node, number) {
      node.number = number
      byNumber.set(number, node)
    },
  }
}

export const timelineOf = (node: NodeState): Timeline => ({ firstMs: node.firstMs, newestMs: node.newestMs, holes: [] })

/**
 * The correction to use from now on. It keeps still while the measured one wavers about it: a sample handed in again
 * over another connection must get the same time, or it would be stored twice.
 */
export function steadySkew(inUseMs: number, measuredMs: number): number {
  if (Math.abs(measuredMs - inUseMs) <= SKEW_ALLOWANCE_MS) return inUseMs
  return Math.abs(measuredMs) <= SKEW_ALLOWANCE_MS ? 0 : Math.round(measuredMs)
}
