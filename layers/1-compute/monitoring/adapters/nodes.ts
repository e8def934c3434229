import type { Timeline } from '../domain/gaps.ts'
import { type Doubt, doubted, isAgreed } from '../domain/skew.ts'

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
  /** What newer measurements say against it; a late frame says the same as a clock that was set back. */
  skewDoubt: Doubt | null
  /** Its own clock when we last heard of it, as far as we know. */
  agentMs: number
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
        skewDoubt: null,
        agentMs: Number.NEGATIVE_INFINITY,
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
 * Takes what was measured into the correction that is used from now on. It keeps still while the measured one wavers
 * about it: a sample handed in again over another connection must get the same time, or it would be stored twice.
 */
export function takeSkew(node: NodeState, measuredMs: number, nowMs: number): void {
  const agentMs = nowMs + measuredMs
  const isNew = node.number === null && node.agentMs === Number.NEGATIVE_INFINITY
  const wentBack = agentMs < node.agentMs - SKEW_ALLOWANCE_MS
  node.agentMs = agentMs
  if (Math.abs(measuredMs - node.skewMs) <= SKEW_ALLOWANCE_MS) {
    node.skewDoubt = null
  } else if (isNew || wentBack || measuredMs > node.skewMs) {
    believe(node, measuredMs)
  } else {
    node.skewDoubt = doubted(node.skewDoubt, measuredMs, nowMs, SKEW_ALLOWANCE_MS)
    if (isAgreed(node.skewDoubt, nowMs)) believe(node, node.skewDoubt.mostMs)
  }
}

function believe(node: NodeState, measuredMs: number): void {
  node.skewMs = Math.abs(measuredMs) <= SKEW_ALLOWANCE_MS ? 0 : Math.round(measuredMs)
  node.skewDoubt = null
}
