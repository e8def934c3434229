import { mkdir } from 'node:fs/promises'
import { bootId, startTimeOf } from './proc.ts'
import { readRecord, writeRecord } from './record.ts'

/**
 * Makes this process the only one that looks after `directory`. An earlier one that still lives (its supervisor was
 * killed and it has not noticed yet) is ended at once: two would start everything twice, and being killed is what
 * every owner must survive anyway.
 *
 * @returns the pid of the process that was ended, or `null`.
 */
export async function claimDirectory(directory: string): Promise<number | null> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const boot = await bootId()
  const earlier = await readRecord(directory)
  const lives = async (): Promise<boolean> =>
    earlier !== null && earlier.bootId === boot && (await startTimeOf(earlier.pid)) === earlier.startTime
  const ended = earlier !== null && earlier.pid !== process.pid && (await lives()) ? earlier.pid : null
  if (ended !== null) {
    try {
      process.kill(ended, 'SIGKILL')
    } catch {
      // It has just ended by itself.
    }
    while (await lives()) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const startTime = await startTimeOf(process.pid)
  if (startTime !== null) await writeRecord(directory, { pid: process.pid, startTime, bootId: boot, digest: 'owner' })
  return ended
}
