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

/** Which build of an engine answers; part of what a deployment revision is. */
export interface EngineVersion {
  /** Of the library and of what it wraps, such as `node-llama-cpp 3.22.1 / llama.cpp v0.5.0`. */
  readonly version: string
  /** `sha256:` over every binary that may be loaded; null where there are none or they cannot be read. */
  readonly binaryDigest: string | null
}

/** One engine family, as the agent sees it. */
export interface EngineAdapter {
  readonly family: string
  /** `runDirectory` is private to this replica and survives restarts of the agent. */
  plan(spec: EngineSpec, runDirectory: string): EngineLaunch
  /** What `plan` would start now. Read once: an installed engine is not changed under a running agent. */
  version(): Promise<EngineVersion>
}
