import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { readJson, writeJson } from '../state-files.ts'
import { AGENT_VERSION } from '../version.ts'

/** Exit code by which an agent says: a newer version is in place, start that one. */
export const EXIT_UPGRADED = 75
/** Exit code by which an agent says: the server will never take this node again, starting anew is no use. */
export const EXIT_REFUSED = 78

/** The one file of a version's folder that is started. */
export const ENTRY = 'agent.mjs'

/** How long a version that failed here is not tried again. */
const FAILED_REST_MS = 3_600_000

/** A folder name, too: no separators, and not `..`. */
export const versionName = z.string().regex(/^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$/)

const pointer = z.object({
  /** Null: the program of the installation. */
  version: versionName.nullable(),
  /** Where to go back to. */
  previous: versionName.nullable(),
  /** Until the server has welcomed it. */
  onTrial: z.boolean(),
  /** Of the installation: a newer one outdates whatever was fetched over the older. */
  installed: z.string(),
  failed: z.array(z.object({ version: versionName, atMs: z.number() })).max(20),
})
export type VersionPointer = z.infer<typeof pointer>

export function versionsDirectory(dataDirectory: string): string {
  return path.join(dataDirectory, 'agent', 'versions')
}

/** Which version runs next. Whatever cannot be read, or is not there, stands for the installation's own. */
export async function readPointer(directory: string): Promise<VersionPointer> {
  const own: VersionPointer = { version: null, previous: null, onTrial: false, installed: AGENT_VERSION, failed: [] }
  const kept = pointer.safeParse(await readJson(fileOf(directory)))
  if (!kept.success || kept.data.installed !== AGENT_VERSION) return own
  const { version, failed } = kept.data
  return version === null || existsSync(entryOf(directory, version)) ? kept.data : { ...own, failed }
}

export function entryOf(directory: string, version: string): string {
  return path.join(directory, version, ENTRY)
}

/** The switch itself: one rename, so that there is always exactly one next version. */
export async function switchTo(directory: string, version: string): Promise<void> {
  const before = await readPointer(directory)
  const previous = before.onTrial ? before.previous : before.version
  await writeJson(fileOf(directory), { ...before, version, previous, onTrial: true })
  await removeOthers(directory, [version, previous])
}

export async function settle(directory: string): Promise<void> {
  const before = await readPointer(directory)
  if (before.onTrial) await writeJson(fileOf(directory), { ...before, onTrial: false })
}

/** @returns the version that was given up */
export async function rollBack(directory: string, nowMs: number): Promise<string | null> {
  const before = await readPointer(directory)
  if (before.version === null) return null
  const failed = [...before.failed, { version: before.version, atMs: nowMs }].slice(-20)
  await writeJson(fileOf(directory), { ...before, version: before.previous, previous: null, onTrial: false, failed })
  return before.version
}

/** Whether this version has just failed here; the server, that does not know, goes on offering it. */
export function isResting(from: VersionPointer, version: string, nowMs: number): boolean {
  return from.failed.some((failure) => failure.version === version && nowMs - failure.atMs < FAILED_REST_MS)
}

async function removeOthers(directory: string, kept: readonly (string | null)[]): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true }))
    if (entry.isDirectory() && !kept.includes(entry.name))
      await rm(path.join(directory, entry.name), { recursive: true, force: true })
}

function fileOf(directory: string): string {
  return path.join(directory, 'current.json')
}
