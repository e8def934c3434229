import { open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'

/** Who runs in a run directory; kept on disk so that a restarted agent finds its children again. */
export interface ProcessRecord {
  readonly pid: number
  readonly startTime: string
  readonly bootId: string | null
  /** Of command, arguments and environment: another one means another process is wanted. */
  readonly digest: string
}

const NAME = 'process.json'

export async function readRecord(runDirectory: string): Promise<ProcessRecord | null> {
  const text = await readFile(path.join(runDirectory, NAME), 'utf8').catch(() => null)
  if (text === null) return null
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : null
  } catch {
    return null
  }
}

function isRecord(value: unknown): value is ProcessRecord {
  if (typeof value !== 'object' || value === null) return false
  const { pid, startTime, bootId, digest } = value as Readonly<Record<string, unknown>>
  const boot = bootId === null || typeof bootId === 'string'
  return Number.isInteger(pid) && typeof startTime === 'string' && typeof digest === 'string' && boot
}

/** Whole or not at all: a reader never sees half a record, whatever is killed meanwhile. */
export async function writeRecord(runDirectory: string, record: ProcessRecord): Promise<void> {
  const temporary = path.join(runDirectory, `${NAME}.${process.pid}.tmp`)
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(JSON.stringify(record))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path.join(runDirectory, NAME))
}

export async function removeRecord(runDirectory: string): Promise<void> {
  await rm(path.join(runDirectory, NAME), { force: true })
}
