import type { EngineSpec } from './protocol.ts'

export interface EngineLaunch {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** `unix:/path` or `http://127.0.0.1:port`: the same after each restart, so that routes stay valid. */
  readonly endpoint: string
  /** From start to the first successful `GET /health`. */
  readonly readyTimeoutMs: number
}

/** One engine family, as the agent sees it. */
export interface EngineAdapter {
  readonly family: string
  /** `runDirectory` is private to this replica and survives restarts of the agent. */
  plan(spec: EngineSpec, runDirectory: string): EngineLaunch
}
