import type { DriverHost } from '@medley/fleet'
import type { CpuLimits } from './limits.ts'
import { type Memory, parseMeminfo } from './readings.ts'
import type { Socket } from './topology.ts'

/**
 * Whole processors that may be counted on each socket. A quota holds for all sockets together, so it is dealt out
 * by running sums: the parts never add up to more than the quota, whatever the rounding.
 */
export function shareUnits(cpusPerSocket: readonly number[], quotaCpus: number | null): readonly number[] {
  const all = cpusPerSocket.reduce((sum, cpus) => sum + cpus, 0)
  const granted = quotaCpus === null ? all : Math.min(all, Math.max(1, Math.floor(quotaCpus)))
  let seen = 0
  return cpusPerSocket.map((cpus) => {
    const before = Math.floor((granted * seen) / Math.max(1, all))
    seen += cpus
    return Math.floor((granted * seen) / Math.max(1, all)) - before
  })
}

interface SocketMemory {
  readonly rawBytes: number
  readonly totalBytes: number
  readonly usedBytes: number | null
}

/** Memory of each socket: its NUMA nodes' where there are several sockets, cut to its part of the group's limit. */
export async function readMemories(
  host: DriverHost,
  sockets: readonly Socket[],
  limits: CpuLimits,
  fallback: Memory,
): Promise<readonly SocketMemory[]> {
  const machine = parseMeminfo(await host.readFile('/proc/meminfo')) ?? fallback
  const own = await Promise.all(sockets.map((socket) => readSocketMemory(host, socket)))
  return sockets.map((_, index) => {
    const local = sockets.length > 1 ? own[index] : machine
    const memory = local ?? {
      totalBytes: Math.floor(machine.totalBytes / sockets.length),
      availableBytes: machine.availableBytes === null ? null : machine.availableBytes / sockets.length,
    }
    return withLimit(memory, limits, memory.totalBytes / machine.totalBytes)
  })
}

async function readSocketMemory(host: DriverHost, socket: Socket): Promise<Memory | null> {
  const paths = socket.numaNodes.map((node) => `/sys/devices/system/node/node${node}/meminfo`)
  const nodes = await Promise.all(paths.map(async (path) => parseMeminfo(await host.readFile(path))))
  const known = nodes.filter((node) => node !== null)
  if (known.length === 0 || known.length < nodes.length) return null
  return {
    totalBytes: known.reduce((sum, node) => sum + node.totalBytes, 0),
    availableBytes: known.reduce<number | null>(
      (sum, node) => (sum === null || node.availableBytes === null ? null : sum + node.availableBytes),
      0,
    ),
  }
}

function withLimit(memory: Memory, limits: CpuLimits, share: number): SocketMemory {
  const { totalBytes, availableBytes } = memory
  const limit =
    limits.memoryLimitBytes === null ? Number.POSITIVE_INFINITY : limits.memoryLimitBytes * Math.min(1, share)
  if (limit >= totalBytes) {
    const usedBytes = availableBytes === null ? null : Math.max(0, Math.round(totalBytes - availableBytes))
    return { rawBytes: totalBytes, totalBytes, usedBytes }
  }
  const used = limits.memoryUsedBytes === null ? null : Math.round(limits.memoryUsedBytes * Math.min(1, share))
  return { rawBytes: totalBytes, totalBytes: Math.floor(limit), usedBytes: used }
}
