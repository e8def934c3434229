import type { Clock, Json } from '@medley/kernel'
import type { Reason } from './domain/noise.ts'
import type { EventName, EventScore } from './domain/score.ts'
import type { MeasureRequest, ProbeResult, ProvingProgress } from './protocol.ts'

/** An engine under test, held by the agent. */
export interface MeasuredEngine {
  /** `POST /internal/measure`; the answer is parsed by the caller. */
  measure(body: MeasureRequest, signal: AbortSignal): Promise<unknown>
  /** Facts the ready engine says of itself (serving's `engineFacts`). */
  facts(): unknown
  /** Ends the engine and frees its chip. Called once, whatever happened before. */
  stop(): Promise<void>
}

export interface QuickProvingDeps {
  /** Defaults to the probe of this package in a process of its own. */
  readonly spawnProbe?: (options: { threads: number; signal: AbortSignal }) => Promise<ProbeResult>
  /** Resolves when the engine is ready. Must end it itself when `signal` aborts before that. */
  readonly startEngine: (engineSpec: unknown, signal: AbortSignal) => Promise<MeasuredEngine>
  readonly onProgress?: (progress: ProvingProgress) => void
  readonly clock: Clock
  readonly signal: AbortSignal
}

export interface AxisScore {
  readonly chipUuid: string
  readonly event: EventName
  readonly state: EventScore['state']
  /** 0 to 100 with its 95 % bootstrap interval; null unless the state is `partial`. */
  readonly score: number | null
  readonly low: number | null
  readonly high: number | null
  /** Linear efficiency against the measured roofline, mean over the cases. */
  readonly efficiency: number | null
  readonly tokensPerSecond: number | null
  readonly reasons: readonly Reason[]
  readonly recordId: string
  readonly measuredAt: Date
}

export interface ProvingRecord {
  readonly id: string
  readonly runId: string
  readonly suite: string
  readonly chipUuid: string
  /** Content digest of `evidence`. */
  readonly digest: string
  /** Over the canonical JSON of `evidence`; `value` is base64url. */
  readonly signature: { readonly keyId: string; readonly algorithm: string; readonly value: string }
  readonly scores: readonly AxisScore[]
  readonly evidence: Json
  readonly createdAt: Date
}

export interface Verdict {
  readonly digest: boolean
  readonly signature: boolean
  /** The scores in the evidence follow from the raw samples in it, and those shown are the same. */
  readonly scores: boolean
}
