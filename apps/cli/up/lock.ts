import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
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
 * Takes the data directory for this process. A lock whose process is gone is a leftover of a kill and is replaced;
 * creation is exclusive, so that of two starts at the same moment one loses.
 */
export function takeLock(file: string, content: Omit<UpLock, 'pid' | 'startTicks'>): LockOutcome {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const mine: UpLock = { ...identify(process.pid), ...content }
  for (;;) {
    try {
      const descriptor = openSync(file, 'wx', 0o600)
      writeSync(descriptor, JSON.stringify(mine))
      closeSync(descriptor)
      return { kind: 'taken' }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const owner = readLock(file)
    if (owner && isAlive(owner)) return { kind: 'busy', owner }
    // Renaming first means that two recovering starts cannot both remove a lock the other has just made.
    const stale = `${file}.stale.${process.pid}`
    try {
      renameSync(file, stale)
      rmSync(stale, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

/** The owner of the data directory as last written, living or not; null when nobody wrote one. */
function readLock(file: string): UpLock | null {
  try {
    return lockContent.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null
  }
}

/** The running factory of a data directory; null when none runs. */
export function runningFactory(file: string): UpLock | null {
  const owner = readLock(file)
  return owner && isAlive(owner) ? owner : null
}

export function releaseLock(file: string): void {
  const owner = readLock(file)
  if (owner?.pid === process.pid) rmSync(file, { force: true })
}

export function writeAtomically(file: string, content: string): void {
  const temporary = `${file}.${process.pid}.tmp`
  writeFileSync(temporary, content, { mode: 0o600 })
  renameSync(temporary, file)
}
