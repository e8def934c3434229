import { randomUUID } from 'node:crypto'
import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { nodeKeyPair } from '../sync/keys.ts'

const fleetFile = z.object({ fleetId: z.string(), startedAtMs: z.number() })
const member = z.object({
  hostname: z.string(),
  nodeKey: z.string(),
  nodeId: z.string(),
  keys: nodeKeyPair,
  instanceId: z.string(),
  instanceKey: z.string(),
})
export type Member = z.infer<typeof member>

/** Time of the newest sample the server has for good, by host name. */
const progressFile = z.record(z.string(), z.number())

/** What a simulated fleet must remember to come back as the same nodes. One directory, whatever their number. */
export interface FleetDirectory {
  readonly fleetId: string
  /** When the plan's time began; faults are counted from here, also after a restart. */
  readonly startedAtMs: number
  readonly members: ReadonlyMap<string, Member>
  readonly storedUntil: ReadonlyMap<string, number>
  remember(member: Member): Promise<void>
  /** Told often, written at most once a second. */
  stored(hostname: string, atMs: number): void
  close(): Promise<void>
}

const WRITE_EVERY_MS = 1_000

/** Opens the directory or makes it; keys lie in it, so it is its owner's alone. */
export async function openFleetDirectory(directory: string, nowMs: number): Promise<FleetDirectory> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const files = {
    fleet: join(directory, 'fleet.json'),
    members: join(directory, 'members.jsonl'),
    progress: join(directory, 'progress.json'),
  }
  const fleet = await readFleet(files.fleet, nowMs)
  const members = await readMembers(files.members)
  const storedUntil = await readProgress(files.progress)
  const write = () => writeWhole(files.progress, JSON.stringify(Object.fromEntries(storedUntil)))
  let timer: NodeJS.Timeout | null = null
  let writing: Promise<void> = Promise.resolve()
  return {
    ...fleet,
    members,
    storedUntil,
    remember: async (joined) => {
      members.set(joined.hostname, joined)
      await appendFile(files.members, `${JSON.stringify(joined)}\n`, { mode: 0o600 })
    },
    stored: (hostname, atMs) => {
      storedUntil.set(hostname, Math.max(atMs, storedUntil.get(hostname) ?? 0))
      timer ??= setTimeout(() => {
        timer = null
        // Lost progress only makes the next gap longer than it was.
        writing = writing.then(write).catch(() => undefined)
      }, WRITE_EVERY_MS)
    },
    close: async () => {
      if (timer) clearTimeout(timer)
      await writing
      await write()
    },
  }
}

async function readFleet(file: string, nowMs: number): Promise<z.infer<typeof fleetFile>> {
  const text = await readIfThere(file)
  if (text !== null) return fleetFile.parse(JSON.parse(text))
  const fleet = { fleetId: randomUUID(), startedAtMs: nowMs }
  await writeWhole(file, JSON.stringify(fleet))
  return fleet
}

async function readMembers(file: string): Promise<Map<string, Member>> {
  const text = (await readIfThere(file)) ?? ''
  const lines = text.split('\n').filter((line) => line !== '')
  const known = new Map<string, Member>()
  for (const joined of lines.map(readMember)) if (joined !== null) known.set(joined.hostname, joined)
  // What a kill cut off must not grow together with what is added next; whole but for its line's end, it is kept.
  if (text !== '' && !text.endsWith('\n')) {
    const whole = readMember(lines.at(-1) ?? '') !== null
    await writeWhole(file, whole ? `${text}\n` : text.slice(0, text.lastIndexOf('\n') + 1))
  }
  return known
}

/** Null for a line that is broken: that node joins again, as the same one. */
function readMember(line: string): Member | null {
  try {
    return member.parse(JSON.parse(line))
  } catch {
    return null
  }
}

async function readProgress(file: string): Promise<Map<string, number>> {
  const text = await readIfThere(file)
  return new Map(text === null ? [] : Object.entries(progressFile.parse(JSON.parse(text))))
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`
  await writeFile(temporary, text, { mode: 0o600 })
  await rename(temporary, file)
}
