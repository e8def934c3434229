import type { NoiseLimits } from './policy.ts'

export interface NoiseReading {
  readonly loadBefore: number
  readonly loadAfter: number
  /** Null where the host does not say. */
  readonly stealRatio: number | null
  readonly foreignCpuRatio: number | null
  readonly cpuCount: number
}

/** A reason as code and parameters; the words are the reader's. */
export interface Reason {
  readonly code: string
  readonly params: Readonly<Record<string, string>>
}

export function reason(code: string, params: Readonly<Record<string, number | string>> = {}): Reason {
  const texts = Object.entries(params).map(([key, value]) => [
    key,
    typeof value === 'number' ? String(Number(value.toPrecision(4))) : value,
  ])
  return { code, params: Object.fromEntries(texts) }
}

/** Why the host was too busy for a number; empty when it was quiet enough. */
export function noiseReasons(reading: NoiseReading, limits: NoiseLimits): readonly Reason[] {
  const reasons: Reason[] = []
  if (reading.stealRatio !== null && reading.stealRatio > limits.stealRatio) {
    reasons.push(reason('steal_over_limit', { value: reading.stealRatio, limit: limits.stealRatio }))
  }
  if (reading.foreignCpuRatio !== null && reading.foreignCpuRatio > limits.foreignCpuRatio) {
    reasons.push(reason('foreign_cpu_over_limit', { value: reading.foreignCpuRatio, limit: limits.foreignCpuRatio }))
  }
  // The load average remembers a build that ended a minute ago, so it decides only where nothing better is known.
  const load = reading.loadBefore / Math.max(1, reading.cpuCount)
  if (reading.foreignCpuRatio === null && load > limits.loadPerCpu) {
    reasons.push(reason('load_over_limit', { value: load, limit: limits.loadPerCpu }))
  }
  return reasons
}
