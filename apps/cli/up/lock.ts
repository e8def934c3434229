import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { z } from 'zod'
import { CliError } from '../cli-error.ts'
import { identify, isAlive } from './process-identity.ts'

const lockContent = z.object({
  pid: z.number().int(),
  startTicks: z.string().nullable(),
  port: z.number().int(),
  gatewayPort: z.number().int(),
  host: z.string(),
})
export type UpLock = z.infer<typeof lockContent>

export type LockOutcome = { readonly kind: 'taken' } | { readonly kind: 'busy'; readonly owner: UpLock }

/**
 * Takes the data directory for this process.
 *
 * The lock is a row of files `FILE.1`, `FILE.2`, …; the highest one holds. A stale lock is never removed, but
 * succeeded by the next number, so that of any number of recovering starts exactly one makes that file. The highest
 * number is never deleted either: whoever made a lower one from an old view of the folder sees that and steps back.
 *
 * @throws CliError with exit code 4 when the folder is another user's.
 */
export function takeLock(file: string, content: Omit<UpLock, 'pid' | 'startTicks'>): LockOutcome {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const mine = JSON.stringify({ ...identify(process.pid), ...content })
  for (;;) {
    const newest = newestGeneration(file)
    const owner = newest === 0 ? null : readLock(generation(file, newest))
    if (owner && isAlive(owner)) return { kind: 'busy', owner }
    const next = newest + 1
    if (!createWhole(generation(file, next), mine)) continue
    if (newestGeneration(file) > next) {
      rmSync(generation(file, next), { force: true })
      continue
    }
    forgetBefore(file, next - 1)
    return { kind: 'taken' }
  }
}

/** The running factory of a data directory; null when none runs. */
export function runningFactory(file: string): UpLock | null {
  const newest = newestGeneration(file)
  const owner = newest === 0 ? null : readLock(generation(file, newest))
  return owner && isAlive(owner) ? owner : null
}

/** Gives up what {@link takeLock} took; the emptied file stays, because numbers must only grow. */
export function releaseLock(file: string): void {
  const newest = generation(file, newestGeneration(file))
  if (readLock(newest)?.pid === process.pid) writeAtomically(newest, 'null\n')
}

export function writeAtomically(file: string, content: string): void {
  const temporary = `${file}.${process.pid}.tmp`
  writeFileSync(temporary, content, { mode: 0o600 })
  renameSync(temporary, file)
}

function generation(file: string, count: number): string {
  return `${file}.${count}`
}

function newestGeneration(file: string): number {
  return Math.max(0, ...generations(file))
}

function generations(file: string): readonly number[] {
  const prefix = `${basename(file)}.`
  try {
    return readdirSync(dirname(file))
      .filter((name) => name.startsWith(prefix) && /^[1-9]\d*$/.test(name.slice(prefix.length)))
      .map((name) => Number(name.slice(prefix.length)))
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return []
    throw notAllowed(error, dirname(file))
  }
}

/** The one before stays as well, so that a listing under way always meets one of the two. */
function forgetBefore(file: string, keep: number): void {
  for (const count of generations(file)) if (count < keep) rmSync(generation(file, count), { force: true })
}

/** A link appears with its whole content or not at all, unlike a file that is created and then written. */
function createWhole(path: string, content: string): boolean {
  const draft = `${path}.draft-${process.pid}-${randomBytes(4).toString('hex')}`
  writeFileSync(draft, content, { mode: 0o600 })
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

/** The owner as last written, living or not; null when it was released, or lost its content to a power cut. */
function readLock(path: string): UpLock | null {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw notAllowed(error, path)
  }
  try {
    return lockContent.parse(JSON.parse(text))
  } catch {
    return null
  }
}

function notAllowed(error: unknown, path: string): unknown {
  if (!['EACCES', 'EPERM'].includes(codeOf(error))) return error
  return new CliError(
    4,
    `${path} belongs to another user. Run as that user, or choose another data directory with --data DIR.`,
  )
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
