import { readdir, readFile, readlink, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const TEST_PREFIX = 'medley-test-pg-'

/** Ends the servers of test runs that were killed, and removes their folders: nobody else would. */
export async function sweepAbandonedServers(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(TEST_PREFIX))
  await Promise.all(names.map((name) => sweep(join(tmpdir(), name)).catch(() => undefined)))
}

async function sweep(directory: string): Promise<void> {
  // Named after the process it belongs to.
  const owner = Number(/-(\d+)-\w+$/.exec(directory)?.[1])
  if (!Number.isInteger(owner) || isRunning(owner)) return
  const cluster = await realpath(join(directory, 'postgres', 'cluster')).catch(() => null)
  if (cluster !== null) {
    const server = Number.parseInt(await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => ''), 10)
    // Its current directory tells the server from a later process of the same number.
    if (server > 1 && (await readlink(`/proc/${server}/cwd`).catch(() => null)) === cluster) {
      process.kill(server, 'SIGQUIT')
    }
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
