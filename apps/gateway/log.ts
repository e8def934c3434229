import { createLogger } from '@medley/telemetry'

export type LogLevel = 'info' | 'warn' | 'error'

/** Codes and parameters, never sentences; and never a key, a token or a prompt. */
export type Log = (level: LogLevel, code: string, params: Readonly<Record<string, unknown>>) => void

export function createLog(worker: number): Log {
  const logger = createLogger({ process: 'gateway' })
  return (level, code, params) => logger[level]({ worker, code, ...params })
}
