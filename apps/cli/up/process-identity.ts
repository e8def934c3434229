import { readFileSync } from 'node:fs'

/** A process by its number and its start, since numbers are used again. */
export interface ProcessIdentity {
  readonly pid: number
  /** Field 22 of /proc/PID/stat (proc(5)): start in clock ticks since boot; null where there is no /proc. */
  readonly startTicks: string | null
}

export function identify(pid: number): ProcessIdentity {
  return { pid, startTicks: startTicks(pid) }
}

/** Whether exactly this process still lives (not a later one with its number, nor a zombie). */
export function isAlive(identity: ProcessIdentity): boolean {
  try {
    process.kill(identity.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return identity.startTicks === null || startTicks(identity.pid) === identity.startTicks
}

function startTicks(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command name may hold blanks and brackets, so fields are counted from its last bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? 'zombie' : (fields[19] ?? null)
  } catch {
    return process.platform === 'linux' ? 'gone' : null
  }
}
