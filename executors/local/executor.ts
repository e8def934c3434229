import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { digestOf } from '@medley/kernel'
import { lastLine, openLog, rotateLog } from './log-file.ts'
import { bootId, DIGEST_VARIABLE, findMarked, RUN_DIRECTORY_VARIABLE, startTimeOf } from './proc.ts'
import { readRecord, removeRecord, writeRecord } from './record.ts'

export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  /** Added to the executor's own environment. */
  readonly env: Readonly<Record<string, string>>
}

export interface Exit {
  /** `null` when a signal ended it, or when it was adopted and its end could only be seen from outside. */
  readonly code: number | null
  readonly signal: string | null
}

export interface LocalProcess {
  readonly pid: number
  readonly digest: string
  readonly adopted: boolean
  /** Resolves when the process is gone; never rejects. */
  readonly exited: Promise<Exit>
  /** SIGTERM, and after `graceMs` SIGKILL, to the whole group; resolves when it is gone and its record removed. */
  stop(graceMs: number): Promise<void>
  lastLogLine(): Promise<string | null>
}

export interface LocalExecutorOptions {
  readonly logCapBytes?: number
  /** How often logs are measured and adopted processes are looked at. */
  readonly watchMs?: number
}

export interface LocalExecutor {
  /**
   * Starts a process that outlives us: own group, own log file, recorded in `runDirectory`. Rejects when the program
   * cannot be started; whatever an earlier start left in that directory is stopped first.
   */
  start(runDirectory: string, launch: Launch): Promise<LocalProcess>
  /** The still-living process of an earlier start in this directory, or `null`. */
  adopt(runDirectory: string): Promise<LocalProcess | null>
  /**
   * Stops everything under `root` whose run directory is not wanted and removes those directories; returns the ones
   * in which something still ran. `root` must hold nothing but run directories.
   */
  reap(root: string, isWanted: (runDirectory: string) => boolean, graceMs: number): Promise<readonly string[]>
}

export function launchDigest(launch: Launch): string {
  return digestOf({ command: launch.command, args: launch.args, env: launch.env })
}

const LOG_NAME = 'output.log'

/** Runs processes on this machine, without a shell, so that they survive a restart of the one who started them. */
export function createLocalExecutor(options: LocalExecutorOptions = {}): LocalExecutor {
  const logCapBytes = options.logCapBytes ?? 8 * 2 ** 20
  const watchMs = options.watchMs ?? 500

  const track = (
    identity: Identity,
    runDirectory: string,
    adopted: boolean,
    exit: Promise<Exit> | null,
  ): LocalProcess => {
    const log = path.join(runDirectory, LOG_NAME)
    const exited = exit ?? seenGone(identity, watchMs)
    const timer = setInterval(() => void rotateLog(log, logCapBytes).catch(() => undefined), Math.max(watchMs, 1_000))
    timer.unref()
    void exited.then(() => clearInterval(timer))
    return {
      pid: identity.pid,
      digest: identity.digest,
      adopted,
      exited,
      lastLogLine: () => lastLine(log),
      stop: async (graceMs) => {
        await stopGroup(identity, graceMs)
        await removeRecord(runDirectory)
      },
    }
  }

  const find = async (runDirectory: string): Promise<Identity | null> => {
    const record = await readRecord(runDirectory)
    if (record && record.bootId === (await bootId()) && (await isAlive(record))) return record
    return (await findMarked()).find((marked) => marked.runDirectory === runDirectory) ?? null
  }

  return {
    adopt: async (runDirectory) => {
      const identity = await find(runDirectory)
      if (identity === null) return null
      await writeRecord(runDirectory, recordOf(identity, await bootId()))
      return track(identity, runDirectory, true, null)
    },
    start: async (runDirectory, launch) => {
      await mkdir(runDirectory, { recursive: true, mode: 0o700 })
      const left = await find(runDirectory)
      if (left) await stopGroup(left, 0)
      const digest = launchDigest(launch)
      const child = await spawnDetached(runDirectory, launch, digest)
      const exited = once(child, 'exit').then(([code, signal]): Exit => ({ code, signal }))
      const pid = child.pid ?? 0
      const startTime = await startTimeOf(pid)
      const identity = { pid, startTime: startTime ?? '', digest }
      if (startTime !== null) await writeRecord(runDirectory, recordOf(identity, await bootId()))
      return track(identity, runDirectory, false, exited)
    },
    reap: async (root, isWanted, graceMs) => {
      const listed = (await readdir(root, { withFileTypes: true }).catch(() => []))
        .filter((entry) => entry.isDirectory())
        .map((entry) => path.join(root, entry.name))
      const marked = (await findMarked()).map((process) => process.runDirectory)
      const inside = marked.filter((directory) => directory.startsWith(`${root}${path.sep}`))
      const reaped = await Promise.all(
        [...new Set([...listed, ...inside])].map(async (directory) => {
          const identity = await find(directory)
          if (isWanted(directory)) return []
          if (identity) await stopGroup(identity, graceMs)
          if (!isWanted(directory)) await rm(directory, { recursive: true, force: true })
          return identity ? [directory] : []
        }),
      )
      return reaped.flat()
    },
  }
}

interface Identity {
  readonly pid: number
  readonly startTime: string
  readonly digest: string
}

function recordOf(identity: Identity, boot: string | null) {
  return { pid: identity.pid, startTime: identity.startTime, bootId: boot, digest: identity.digest }
}

async function spawnDetached(runDirectory: string, launch: Launch, digest: string) {
  const log = await openLog(path.join(runDirectory, LOG_NAME))
  try {
    const child = spawn(launch.command, [...launch.args], {
      cwd: runDirectory,
      env: { ...process.env, ...launch.env, [RUN_DIRECTORY_VARIABLE]: runDirectory, [DIGEST_VARIABLE]: digest },
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
      windowsHide: true,
    })
    // Rejects when the program cannot be run at all.
    await once(child, 'spawn')
    child.unref()
    return child
  } finally {
    await log.close()
  }
}

async function isAlive(identity: Identity): Promise<boolean> {
  return (await startTimeOf(identity.pid)) === identity.startTime
}

/** The end of a process that is not our child can only be seen by looking. */
async function seenGone(identity: Identity, watchMs: number): Promise<Exit> {
  while (await isAlive(identity)) await pause(watchMs)
  return { code: null, signal: null }
}

async function stopGroup(identity: Identity, graceMs: number): Promise<void> {
  const current = await startTimeOf(identity.pid)
  // Long gone, and its number given to another process meanwhile: not ours to end.
  if (current !== null && current !== identity.startTime) return
  if (graceMs > 0 && current !== null) {
    signalGroup(identity.pid, 'SIGTERM')
    const until = Date.now() + graceMs
    while (Date.now() < until && (await isAlive(identity))) await pause(50)
  }
  // Also when the leader is gone: the group's number is not given out again while a member of it lives.
  signalGroup(identity.pid, 'SIGKILL')
  while (await isAlive(identity)) await pause(20)
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  if (pid <= 1) return
  try {
    if (process.platform === 'win32') process.kill(pid, signal)
    else process.kill(-pid, signal)
  } catch {
    // No such group any more.
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
