import type { SourceKind } from './catalogue/entry.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export type Http = (url: string, init: RequestInit) => Promise<Response>

export interface CommandResult {
  readonly exitCode: number | null
  /** The last few thousand characters of each. */
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program without a shell. Rejects with the system's error where it cannot be started. */
export type RunCommand = (
  command: string,
  args: readonly string[],
  options: { readonly env: Environment; readonly signal: AbortSignal },
) => Promise<CommandResult>

export interface FetchProgress {
  readonly phase: 'waiting' | 'copying' | 'downloading' | 'extracting' | 'verifying'
  readonly source: SourceKind | null
  readonly doneBytes: number
  readonly totalBytes: number | null
}

export type OnProgress = (progress: FetchProgress) => void
