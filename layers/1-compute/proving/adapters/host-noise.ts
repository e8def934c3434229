import { readFileSync } from 'node:fs'
import os from 'node:os'
import type { ProvingResult } from '../protocol.ts'

interface HostCounters {
  /** Seconds of all processors since boot. */
  readonly busy: number
  readonly steal: number
  readonly total: number
}

type HostNoise = ProvingResult['noise']

/** Ticks of `/proc/stat` per second: fixed at 100 in the kernel's interface to programs. */
const TICKS_PER_SECOND = 100

function readHostCounters(): HostCounters | null {
  try {
    const first = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? ''
    // user nice system idle iowait irq softirq steal; guest time is already part of user.
    const ticks = first.trim().split(/\s+/).slice(1, 9).map(Number)
    if (ticks.length < 8 || ticks.some(Number.isNaN)) throw new Error('unexpected layout')
    const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0] = ticks
    const busy = user + nice + system + irq + softirq
    return {
      busy: busy / TICKS_PER_SECOND,
      steal: steal / TICKS_PER_SECOND,
      total: (busy + idle + wait + steal) / TICKS_PER_SECOND,
    }
  } catch {
    return null
  }
}

export interface NoiseMeter {
  /** Runs `work` as one window of measurement; `ownSeconds` says what it used of the processors itself. */
  during<Result>(work: () => Promise<Result>, ownSeconds: (result: Result) => number): Promise<Result>
  read(): HostNoise
}

/** Watches the host only while something is measured: what happens between two windows disturbs nothing. */
export function createNoiseMeter(): NoiseMeter {
  const loadBefore = os.loadavg()[0] ?? 0
  const sums = { foreign: 0, steal: 0, total: 0 }
  const share = (seconds: number): number | null =>
    sums.total > 0 ? Math.min(1, Math.max(0, seconds / sums.total)) : null
  return {
    async during(work, ownSeconds) {
      const before = readHostCounters()
      const result = await work()
      const after = readHostCounters()
      if (before !== null && after !== null) {
        sums.foreign += after.busy - before.busy - ownSeconds(result)
        sums.steal += after.steal - before.steal
        sums.total += after.total - before.total
      }
      return result
    },
    read: () => ({
      loadBefore,
      loadAfter: os.loadavg()[0] ?? 0,
      stealRatio: share(sums.steal),
      foreignCpuRatio: share(sums.foreign),
      cpuCount: os.availableParallelism(),
    }),
  }
}
