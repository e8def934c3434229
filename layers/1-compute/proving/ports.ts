import type { Clock } from '@medley/kernel'
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
