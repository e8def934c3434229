import { randomUUID } from 'node:crypto'
import { link, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { isCode } from './file-bytes.ts'

const holder = z.object({ token: z.string(), pid: z.number().int(), host: z.string() })

const BEAT_MS = 5_000
/** Without a beat for this long a holder counts as gone, whatever its process id says. */
const SILENT_MS = 60_000
const POLL_MS = 250

/** Tokens of this very process: in a container a restarted process often gets its predecessor's id. */
const held = new Set<string>()

/**
 * Runs `work` while holding a lock file, one process at a time. A holder that was killed is recognised by its
 * process id at once, on another host by its silence. The lock only saves double work: what is placed is guarded by
 * its checksum, so a lost lock cannot do harm.
 */
export async function withLock<T>(
  path: string,
  signal: AbortSignal,
  onWait: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const token = randomUUID()
  held.add(token)
  try {
    while (!(await tryTake(path, token))) {
      onWait()
      await breakIfStale(path)
      await sleep(POLL_MS, undefined, { signal })
    }
    return await whileBeating(path, work)
  } finally {
    held.delete(token)
    if ((await readHolder(path))?.token === token) await unlink(path).catch(() => undefined)
  }
}

async function whileBeating<T>(path: string, work: () => Promise<T>): Promise<T> {
  const beat = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => undefined)
  }, BEAT_MS)
  beat.unref()
  try {
    return await work()
  } finally {
    clearInterval(beat)
  }
}

async function tryTake(path: string, token: string): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify({ token, pid: process.pid, host: hostname() }), { flag: 'wx' })
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  }
}

async function readHolder(path: string): Promise<z.infer<typeof holder> | null> {
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) return null
  try {
    return holder.parse(JSON.parse(text))
  } catch {
    // Just being written, or its writer was killed in that moment: only silence tells.
    return { token: '', pid: 0, host: '' }
  }
}

async function breakIfStale(path: string): Promise<void> {
  const found = await readHolder(path)
  if (!found) return
  const age = await stat(path).then(
    (facts) => Date.now() - facts.mtimeMs,
    () => 0,
  )
  if (age < SILENT_MS && !(found.host === hostname() && isGone(found))) return
  const aside = `${path}.${randomUUID()}`
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  )
  if (!moved) return
  // Between reading and renaming another process may have broken it first and taken it: give that one back.
  const taken = await readHolder(aside)
  if (taken && taken.token !== found.token) await link(aside, path).catch(() => undefined)
  await unlink(aside).catch(() => undefined)
}

function isGone(found: z.infer<typeof holder>): boolean {
  if (found.pid === process.pid) return !held.has(found.token)
  try {
    process.kill(found.pid, 0)
    return false
  } catch (error) {
    return isCode(error, 'ESRCH')
  }
}
