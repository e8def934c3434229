import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 50

/**
 * Makes this process the only writer in `directory`. The lock of a process that is gone is taken over; that of a
 * living one is waited for, since a worker that is still draining frees it by itself.
 *
 * @throws {Error} when another process still holds it after `waitMs`.
 */
export async function lockDirectory(directory: string, waitMs: number): Promise<() => void> {
  const path = join(directory, 'lock')
  const mine = `${process.pid} ${startOf(process.pid) ?? '-'} ${randomBytes(8).toString('hex')}\n`
  const deadline = performance.now() + waitMs
  for (;;) {
    if (claim(path, mine)) return () => release(path, mine)
    const holder = contentOf(path)
    if (holder === null) continue
    if (!isHeld(holder)) clearStale(path, holder)
    else if (performance.now() >= deadline) throw new Error(`${directory} is in use by process ${holder.split(' ')[0]}`)
    else await sleep(POLL_MS)
  }
}

/** A link appears with its whole content or not at all, unlike a file that is created and then written. */
function claim(path: string, content: string): boolean {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  writeFileSync(draft, content, { mode: 0o600 })
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  } finally {
    unlinkSync(draft)
  }
}

/** Only one of several heirs wins the rename; one that took a fresh lock by mistake gives it back. */
function clearStale(path: string, expected: string): void {
  const aside = `${path}.stale.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return
    throw error
  }
  try {
    if (contentOf(aside) !== expected) linkSync(aside, path)
  } finally {
    unlinkSync(aside)
  }
}

function release(path: string, mine: string): void {
  if (contentOf(path) === mine) unlinkSync(path)
}

function contentOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
}

/** A process number is used again after a while, so the start time has to agree where the system tells it. */
function isHeld(content: string): boolean {
  const [pid, started] = content.trim().split(' ')
  const id = Number(pid)
  if (!Number.isSafeInteger(id) || id <= 0) return false
  try {
    process.kill(id, 0)
  } catch (error) {
    return isErrno(error, 'EPERM')
  }
  if (process.platform !== 'linux') return true
  return startOf(id) === started
}

/** Start time in clock ticks since boot; null for a zombie, a process that is gone, and on other systems. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command stands in brackets and may itself contain blanks and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
