import type { DriverHost } from '@medley/fleet'
import { bytesOrNull, countOrNull, numberOrNull, parseCpuList } from '../parsing.ts'

export interface Socket {
  readonly socket: number
  /** Online logical processors. */
  readonly cpus: readonly number[]
  readonly cores: number | null
  readonly numaNodes: readonly number[]
  readonly lastLevelCacheBytes: number | null
  readonly cacheLevel: number | null
}

const CPU_ROOT = '/sys/devices/system/cpu'
const NODE_ROOT = '/sys/devices/system/node'

/** Sockets from sysfs, in socket order; empty where sysfs tells nothing (not Linux, masked in a sandbox). */
export async function readSockets(host: DriverHost): Promise<readonly Socket[]> {
  const cpus = parseCpuList(await host.readFile(`${CPU_ROOT}/online`))
  const placed = await Promise.all(cpus.map((cpu) => readCpu(host, cpu)))
  const nodes = await readNodes(host)
  const bySocket = Map.groupBy(placed, (cpu) => cpu.socket)
  return [...bySocket.entries()]
    .sort(([left], [right]) => left - right)
    .map(([socket, members]) => ({
      socket,
      cpus: members.map((member) => member.cpu),
      cores: countCores(members),
      numaNodes: nodes.filter((node) => members.some((m) => node.cpus.includes(m.cpu))).map((node) => node.node),
      ...lastLevelCache(members),
    }))
}

interface PlacedCpu {
  readonly cpu: number
  readonly socket: number
  readonly siblings: string | null
  readonly caches: readonly Cache[]
}

interface Cache {
  readonly level: number
  readonly bytes: number
  readonly sharedBy: string
}

async function readCpu(host: DriverHost, cpu: number): Promise<PlacedCpu> {
  const root = `${CPU_ROOT}/cpu${cpu}`
  const [socket, siblings, caches] = await Promise.all([
    host.readFile(`${root}/topology/physical_package_id`),
    host.readFile(`${root}/topology/thread_siblings_list`),
    readCaches(host, `${root}/cache`),
  ])
  // ARM boards without firmware tables print -1: then the machine is one chip.
  return { cpu, socket: Math.max(0, numberOrNull(socket) ?? 0), siblings: siblings?.trim() ?? null, caches }
}

async function readCaches(host: DriverHost, root: string): Promise<readonly Cache[]> {
  const entries = (await host.readDirectory(root)).filter((name) => /^index\d+$/.test(name))
  const caches = await Promise.all(
    entries.map(async (entry): Promise<Cache | null> => {
      const read = (name: string): Promise<string | null> => host.readFile(`${root}/${entry}/${name}`)
      const [level, size, type, sharedBy] = await Promise.all([
        read('level'),
        read('size'),
        read('type'),
        read('shared_cpu_list'),
      ])
      const bytes = bytesOrNull(size)
      const number = countOrNull(level)
      if (number === null || !bytes || type?.trim() === 'Instruction') return null
      return { level: number, bytes, sharedBy: sharedBy?.trim() ?? '' }
    }),
  )
  return caches.filter((cache) => cache !== null)
}

function countCores(members: readonly PlacedCpu[]): number | null {
  if (members.some((member) => !member.siblings)) return null
  return new Set(members.map((member) => member.siblings)).size
}

/** Sum over the distinct last-level caches of the socket: a streaming test must be larger than all of them. */
function lastLevelCache(members: readonly PlacedCpu[]): Pick<Socket, 'lastLevelCacheBytes' | 'cacheLevel'> {
  const caches = members.flatMap((member) => member.caches)
  const level = Math.max(0, ...caches.map((cache) => cache.level))
  if (level === 0) return { lastLevelCacheBytes: null, cacheLevel: null }
  const distinct = new Map(
    caches.filter((cache) => cache.level === level).map((cache) => [cache.sharedBy, cache.bytes]),
  )
  return { lastLevelCacheBytes: [...distinct.values()].reduce((sum, bytes) => sum + bytes, 0), cacheLevel: level }
}

async function readNodes(host: DriverHost): Promise<readonly { readonly node: number; readonly cpus: number[] }[]> {
  const names = (await host.readDirectory(NODE_ROOT)).filter((name) => /^node\d{1,5}$/.test(name))
  const nodes = await Promise.all(
    names.map(async (name) => ({
      node: Number(name.slice('node'.length)),
      cpus: parseCpuList(await host.readFile(`${NODE_ROOT}/${name}/cpulist`)),
    })),
  )
  return nodes.sort((left, right) => left.node - right.node)
}
