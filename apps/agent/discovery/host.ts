import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { access, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { DriverHost, ToolCommand, ToolOutcome } from '@medley/fleet'
import { runTool, type ToolRun } from './tool.ts'

/** Rest after the first failure of a command; doubles up to the longest. */
const FIRST_REST_MS = 10_000
const LONGEST_REST_MS = 600_000

interface Rest {
  readonly failures: number
  readonly until: number
  readonly outcome: ToolOutcome
}

export interface DriverHostOptions {
  /** Tools run in empty directories under this one. */
  readonly scratchDirectory?: string
  /** Searched for bare tool names; the process's own PATH by default. */
  readonly searchPath?: string
  /**
   * Where the machine's own `/sys`, `/proc` and `/dev` are seen, such as `/host` in a container that has them mounted
   * there; the root by default.
   */
  readonly hostRoot?: string
  /** For the rests of failed commands, milliseconds from any start; by default a clock that nobody can set. */
  readonly now?: () => number
}

/**
 * The real machine for drivers. One call at a time per tool; a command that failed is not repeated before its rest
 * is over (its last outcome is handed back instead); a tool that survived SIGKILL (a hung ioctl on a lost card) is
 * not started again until that process is gone.
 */
export function createDriverHost(options: DriverHostOptions = {}): DriverHost {
  const now = options.now ?? (() => performance.now())
  const scratch = options.scratchDirectory ?? tmpdir()
  const rests = new Map<string, Rest>()
  const turns = new Map<string, Promise<unknown>>()
  const stuck = new Set<string>()
  const placeOf = (place: string): string =>
    options.hostRoot !== undefined && /^\/(?:sys|proc|dev)(?:\/|$)/.test(place)
      ? path.join(options.hostRoot, place)
      : place

  const runOnce = async (command: ToolCommand, tool: string): Promise<ToolOutcome> => {
    if (stuck.has(tool)) return { kind: 'timeout' }
    const key = JSON.stringify([command.candidates, command.args])
    const rest = rests.get(key)
    if (rest && now() < rest.until) return rest.outcome
    const program = await findProgram(command.candidates, options.searchPath ?? process.env.PATH ?? '')
    if (program === null) return { kind: 'missing' }
    const result = await inEmptyDirectory(scratch, (cwd) =>
      runTool({ program, args: command.args, cwd, timeoutMs: command.timeoutMs }),
    )
    if (result.survivor) {
      stuck.add(tool)
      void result.survivor.then(() => stuck.delete(tool))
    }
    rests.delete(key)
    if (failed(result)) {
      const failures = (rest?.failures ?? 0) + 1
      const restMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (failures - 1))
      rests.set(key, { failures, until: now() + restMs, outcome: result.outcome })
    }
    return result.outcome
  }

  return {
    platform: process.platform,
    architecture: process.arch,
    readFile: (file) => readFile(placeOf(file), 'utf8').catch(() => null),
    readDirectory: (directory) => readdir(placeOf(directory)).catch(() => []),
    run: (command) => {
      const tool = path.basename(command.candidates[0] ?? '')
      const turn = (turns.get(tool) ?? Promise.resolve()).then(() => runOnce(command, tool))
      turns.set(
        tool,
        turn.catch(() => undefined),
      )
      return turn
    },
  }
}

function failed(result: ToolRun): boolean {
  return result.outcome.kind !== 'output' || result.outcome.exitCode !== 0
}

async function inEmptyDirectory<Result>(parent: string, work: (cwd: string) => Promise<Result>): Promise<Result> {
  const cwd = path.join(parent, `medley-tool-${randomUUID()}`)
  await mkdir(cwd, { recursive: true, mode: 0o700 })
  try {
    return await work(cwd)
  } finally {
    await rm(cwd, { recursive: true, force: true }).catch(() => undefined)
  }
}

async function findProgram(candidates: readonly string[], searchPath: string): Promise<string | null> {
  for (const candidate of candidates) {
    const places = path.isAbsolute(candidate)
      ? [candidate]
      : searchPath
          .split(path.delimiter)
          .filter(path.isAbsolute)
          .map((directory) => path.join(directory, candidate))
    for (const place of places.flatMap((file) => (process.platform === 'win32' ? [`${file}.exe`, file] : [file]))) {
      const usable = await access(place, constants.X_OK).then(
        () => true,
        () => false,
      )
      if (usable) return place
    }
  }
  return null
}
