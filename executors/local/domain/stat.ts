export interface ProcessStat {
  readonly pid: number
  /** One letter of proc(5): `Z` and `X` are dead. */
  readonly state: string
  readonly groupId: number
  /** Clock ticks since boot: with the pid it names a process, since pids are used again. */
  readonly startTime: string
}

/** Reads `/proc/PID/stat`. The name in parentheses may itself hold blanks and parentheses. */
export function parseStat(text: string): ProcessStat | null {
  const close = text.lastIndexOf(')')
  const pid = Number.parseInt(text, 10)
  const fields = text
    .slice(close + 2)
    .trim()
    .split(' ')
  const [state, groupId, startTime] = [fields[0], Number(fields[2]), fields[19]]
  if (close < 0 || !Number.isInteger(pid) || !state || !Number.isInteger(groupId) || !startTime) return null
  return { pid, state, groupId, startTime }
}
