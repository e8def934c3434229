import type { DriverHost } from '@medley/fleet'
import { bytesOrNull, countOrNull, numberOrNull, parseCpuList, parseKeyValues } from '../parsing.ts'

/** What control groups and affinity leave this process of the machine; `null` where nothing limits. */
export interface CpuLimits {
  /** Logical processors it may run on. */
  readonly allowedCpus: readonly number[] | null
  /** Processors' worth of time, such as 1.5. */
  readonly quotaCpus: number | null
  readonly memoryLimitBytes: number | null
  /** Memory the limited group uses, page cache that can be dropped left out. */
  readonly memoryUsedBytes: number | null
}

interface Mount {
  readonly root: string
  readonly point: string
  readonly version: 1 | 2
  readonly controllers: readonly string[]
}

/** Limits above this are no limits: cgroup v1 prints 2^63 rounded to a page for "unlimited". */
const UNLIMITED_BYTES = 2 ** 60

/** Reads cgroup v2, v1 or a mixture of both; a limit may sit in any ancestor, so all of them are looked at. */
export async function readLimits(host: DriverHost): Promise<CpuLimits> {
  const [mountinfo, membership, status] = await Promise.all([
    host.readFile('/proc/self/mountinfo'),
    host.readFile('/proc/self/cgroup'),
    host.readFile('/proc/self/status'),
  ])
  const mounts = parseMounts(mountinfo ?? '')
  const groups = parseMembership(membership ?? '')
  const directoriesOf = (controller: string): readonly string[] => directories(mounts, groups, controller)
  const allowed = parseCpuList(parseKeyValues(status).get('cpus_allowed_list'))
  const quotas = await Promise.all(directoriesOf('cpu').map((directory) => readQuota(host, directory)))
  const memories = await Promise.all(directoriesOf('memory').map((directory) => readMemory(host, directory)))
  const tightest = memories
    .filter((memory) => memory !== null)
    .reduce<MemoryLimit | null>((best, memory) => (best && best.limitBytes <= memory.limitBytes ? best : memory), null)
  return {
    allowedCpus: allowed.length > 0 ? allowed : null,
    quotaCpus: smallest(quotas),
    memoryLimitBytes: tightest?.limitBytes ?? null,
    memoryUsedBytes: tightest?.usedBytes ?? null,
  }
}

function smallest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length > 0 ? Math.min(...known) : null
}

/** Lines of `/proc/self/mountinfo`: `... ROOT POINT OPTIONS - TYPE SOURCE SUPER_OPTIONS`. */
function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line): Mount[] => {
    const [left, right] = line.split(' - ')
    const fields = left?.split(' ') ?? []
    const [type, , superOptions] = right?.split(' ') ?? []
    const [root, point] = [fields[3], fields[4]]
    if (!root || !point || (type !== 'cgroup' && type !== 'cgroup2')) return []
    return [{ root, point, version: type === 'cgroup2' ? 2 : 1, controllers: superOptions?.split(',') ?? [] }]
  })
}

/** `/proc/self/cgroup`: controller name -> path; the unified hierarchy under the empty name. */
function parseMembership(text: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line)
    for (const name of match?.[1]?.split(',') ?? []) found.set(name, match?.[2] ?? '/')
  }
  return found
}

/** The group's own directory and its ancestors up to the mount, for version 1 and version 2 alike. */
function directories(mounts: readonly Mount[], groups: ReadonlyMap<string, string>, controller: string): string[] {
  return mounts.flatMap((mount) => {
    if (mount.version === 1 && !mount.controllers.includes(controller)) return []
    const group = groups.get(mount.version === 2 ? '' : controller)
    if (group === undefined) return []
    // Inside a container without its own cgroup namespace the path is the host's, and the mount shows a part of it.
    const inside = mount.root !== '/' && group.startsWith(mount.root) ? group.slice(mount.root.length) : group
    const parts = inside.split('/').filter((part) => part !== '' && part !== '..')
    return [...parts.keys(), parts.length].map((depth) => [mount.point, ...parts.slice(0, depth)].join('/'))
  })
}

async function readQuota(host: DriverHost, directory: string): Promise<number | null> {
  const [max, quota, period] = await Promise.all([
    host.readFile(`${directory}/cpu.max`),
    host.readFile(`${directory}/cpu.cfs_quota_us`),
    host.readFile(`${directory}/cpu.cfs_period_us`),
  ])
  const [limit, length] = max === null ? [quota, period] : max.trim().split(/\s+/)
  const [microseconds, perMicroseconds] = [numberOrNull(limit), numberOrNull(length)]
  if (microseconds === null || microseconds <= 0 || !perMicroseconds || perMicroseconds <= 0) return null
  return microseconds / perMicroseconds
}

interface MemoryLimit {
  readonly limitBytes: number
  readonly usedBytes: number | null
}

async function readMemory(host: DriverHost, directory: string): Promise<MemoryLimit | null> {
  const read = (name: string): Promise<string | null> => host.readFile(`${directory}/${name}`)
  const limitBytes = bytesOrNull((await read('memory.max')) ?? (await read('memory.limit_in_bytes')))
  if (limitBytes === null || limitBytes <= 0 || limitBytes > UNLIMITED_BYTES) return null
  const current = bytesOrNull((await read('memory.current')) ?? (await read('memory.usage_in_bytes')))
  const stat = await read('memory.stat')
  // Version 1 counts descendants only under the `total_` names.
  const cold = /^total_inactive_file (\d+)$/m.exec(stat ?? '') ?? /^inactive_file (\d+)$/m.exec(stat ?? '')
  const dropped = countOrNull(cold?.[1]) ?? 0
  return { limitBytes, usedBytes: current === null ? null : Math.max(0, current - dropped) }
}
