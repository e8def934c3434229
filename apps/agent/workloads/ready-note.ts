import { readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { LocalProcess } from '@medley/executor-local'
import { z } from 'zod'

const readyNote = z.object({ pid: z.number().int(), digest: z.string(), result: z.json().nullable() })

const NAME = 'ready.json'

/**
 * Notes that this very process has been ready and what it said of itself. An adopting agent then goes on reporting it
 * as ready, even if it is too busy to answer at once: its clients must not notice that the agent was away.
 */
export async function noteReady(directory: string, process: LocalProcess, result: unknown): Promise<void> {
  const file = path.join(directory, NAME)
  await writeFile(`${file}.tmp`, JSON.stringify({ pid: process.pid, digest: process.digest, result }), { mode: 0o600 })
  await rename(`${file}.tmp`, file)
}

/** What was noted of this process, or `null` where it has not been ready yet. */
export async function readReady(directory: string, process: LocalProcess) {
  const text = await readFile(path.join(directory, NAME), 'utf8').catch(() => 'null')
  try {
    const note = readyNote.safeParse(JSON.parse(text))
    return note.success && note.data.pid === process.pid && note.data.digest === process.digest ? note.data : null
  } catch {
    return null
  }
}
