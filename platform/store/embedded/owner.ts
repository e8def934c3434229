import { readFileSync } from 'node:fs'
import { readdir, readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { storeErrors } from '../errors.ts'
import { CLUSTER } from './cluster.ts'

const OWNER_FILE = 'owner.json'

/** How long a fast shutdown may take before the postmaster is told to drop everything and recover at next start. */
const SHUTDOWN_MS = 20_000

/**
 * Claims the directory for this process, so that a second one cannot stop the first one's server. The claim of a
 * process that is gone is taken over.
 *
 * @throws store.in_use when another living process holds it.
 */
export async function claimDirectory(directory: string): Promise<void> {
  const path = join(directory, OWNER_FILE)
  const holder = await readFile(path, 'utf8').then(parseOwner, () => null)
  if (holder !== null && holder.pid !== process.pid && startOf(holder.pid) === holder.start) {
    throw storeErrors.in_use({ pid: holder.pid, directory })
  }
  await writeFile(path, JSON.stringify({ pid: process.pid, start: startOf(process.pid) }), { mode: 0o600 })
}

export async function releaseDirectory(directory: string): Promise<void> {
  await rm(join(directory, OWNER_FILE), { force: true })
}

/**
 * Ends the server that a killed parent left behind, cleanly, so that its successor starts at once under the new
 * parent. Backends that outlive a killed postmaster are waited for: starting beside them would corrupt the cluster.
 */
export async function reapOrphans(directory: string): Promise<void> {
  const cluster = await realpath(join(directory, CLUSTER)).catch(() => null)
  if (cluster === null) return
  const postmaster = await readPostmasterPid(cluster)
  const alive = postmaster !== null && (await isInCluster(postmaster, cluster))
  if (alive) await stopProcess(postmaster, async () => !(await isInCluster(postmaster, cluster)))
  for (const survivor of await processesIn(cluster)) {
    await stopProcess(survivor, async () => !(await isInCluster(survivor, cluster)))
  }
  // PostgreSQL removes a stale file itself, except when an unrelated process has got its number since.
  if (postmaster !== null && !alive && startOf(postmaster) !== null) {
    await rm(join(cluster, 'postmaster.pid'), { force: true })
  }
}

/** SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one. */
async function stopProcess(pid: number, isGone: () => Promise<boolean>): Promise<void> {
  for (const [signal, patienceMs] of [
    ['SIGINT', SHUTDOWN_MS],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    try {
      process.kill(pid, signal)
    } catch {
      return
    }
    for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += 50) {
      if (await isGone()) return
      await delay(50)
    }
  }
}

async function readPostmasterPid(cluster: string): Promise<number | null> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')
  const pid = Number.parseInt(text, 10)
  return Number.isInteger(pid) && pid > 1 ? pid : null
}

/** Every PostgreSQL process stands in its cluster directory; that tells ours from a reused process number. */
async function isInCluster(pid: number, cluster: string): Promise<boolean> {
  if (process.platform !== 'linux') return startOf(pid) !== null
  return (await readlink(`/proc/${pid}/cwd`).catch(() => null)) === cluster
}

async function processesIn(cluster: string): Promise<readonly number[]> {
  if (process.platform !== 'linux') return []
  const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid) && pid > 1)
  const inside = await Promise.all(pids.map((pid) => isInCluster(pid, cluster)))
  return pids.filter((pid, index) => pid !== process.pid && inside[index] === true)
}

interface Owner {
  readonly pid: number
  readonly start: string
}

function parseOwner(text: string): Owner | null {
  const read: unknown = JSON.parse(text)
  if (typeof read !== 'object' || read === null || !('pid' in read) || !('start' in read)) return null
  return { pid: Number(read.pid), start: String(read.start) }
}

/**
 * When a process started, in a form that only serves to tell it from a later one with the same number; null when
 * there is none. Linux: field 22 of /proc/PID/stat, in clock ticks since boot.
 */
function startOf(pid: number): string | null {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      // A zombie holds nothing any more.
      return fields[0] === 'Z' ? null : (fields[19] ?? null)
    } catch {
      return null
    }
  }
  try {
    process.kill(pid, 0)
    return 'alive'
  } catch {
    return null
  }
}
