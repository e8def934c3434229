export type LogLevel = 'info' | 'warn' | 'error'

/** Codes and parameters, never sentences; and never a key, a token or a prompt. */
export type Log = (level: LogLevel, code: string, params: Readonly<Record<string, unknown>>) => void

/** One JSON object per line on standard error, which the supervisor collects. */
export function createLog(worker: number): Log {
  // A supervisor that was killed leaves a closed pipe behind; losing log lines must not end running streams.
  process.stderr.on('error', () => {})
  return (level, code, params) => {
    process.stderr.write(
      `${JSON.stringify({ time: new Date().toISOString(), level, source: 'gateway', worker, code, ...params })}\n`,
    )
  }
}
