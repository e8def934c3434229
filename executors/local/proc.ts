import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { parseStat } from './domain/stat.ts'

/** What tells one process from a later one with the same pid; `null` when no such process lives. */
export async function startTimeOf(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    const stat = parseStat(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))
    // A zombie holds nothing any more; where init does not reap, it would look alive for ever.
    return stat === null || stat.state === 'Z' || stat.state === 'X' ? null : stat.startTime
  }
  if (process.platform === 'win32') return null
  const listed = await promisify(execFile)('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], {
    env: { LC_ALL: 'C' },
  }).catch(() => null)
  return listed?.stdout.trim() || null
}

/** Changes at each boot, so that a pid and start time of an earlier boot never match; `null` where unknown. */
export async function bootId(): Promise<string | null> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim() || null
}

export const RUN_DIRECTORY_VARIABLE = 'MEDLEY_RUN_DIRECTORY'
export const DIGEST_VARIABLE = 'MEDLEY_LAUNCH_DIGEST'

export interface MarkedProcess {
  readonly pid: number
  readonly startTime: string
  readonly runDirectory: string
  readonly digest: string
}

/**
 * Leaders of process groups that an executor started, found by the marks in their environment. Covers the moment
 * between a start and its record: an agent killed just then leaves a child that no file tells of. Linux only.
 */
export async function findMarked(): Promise<readonly MarkedProcess[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(pids.map(readMarks))
  return found.filter((marked) => marked !== null)
}

async function readMarks(pid: number): Promise<MarkedProcess | null> {
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
  if (!environment.includes(`${RUN_DIRECTORY_VARIABLE}=`)) return null
  const variables = new Map(
    environment.split('\0').map((entry) => [entry.split('=', 1)[0], entry.replace(/^[^=]*=/, '')]),
  )
  const runDirectory = variables.get(RUN_DIRECTORY_VARIABLE)
  const stat = parseStat(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))
  if (!runDirectory || stat === null || stat.groupId !== pid || stat.state === 'Z' || stat.state === 'X') return null
  return { pid, startTime: stat.startTime, runDirectory, digest: variables.get(DIGEST_VARIABLE) ?? '' }
}
