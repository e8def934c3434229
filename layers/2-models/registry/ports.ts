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

/** Called for each piece of data, thousands of times in a fetch: what is slow or sends must thin it out. */
export type OnProgress = (progress: FetchProgress) => void
