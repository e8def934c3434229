import { constants } from 'node:fs'
import { copyFile, type FileHandle, open, stat, truncate } from 'node:fs/promises'

/** Appending keeps the writer's place right after a truncation, so a child need not know of rotation. */
export function openLog(path: string): Promise<FileHandle> {
  return open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600)
}

/**
 * Copies a log that has grown beyond `capBytes` to `PATH.1` and empties it. The child writes to the file itself, not
 * through a pipe of ours, so that it outlives us; a line written between copy and cut may be lost.
 */
export async function rotateLog(path: string, capBytes: number): Promise<boolean> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  )
  if (size <= capBytes) return false
  await copyFile(path, `${path}.1`)
  await truncate(path, 0)
  return true
}

/** Last line that is not empty, at most `most` characters; `null` for an empty or absent log. */
export async function lastLine(path: string, most = 200): Promise<string | null> {
  const file = await open(path, 'r').catch(() => null)
  if (file === null) return null
  try {
    const { size } = await file.stat()
    const length = Math.min(size, 4096)
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length)
    const lines = buffer
      .toString('utf8')
      .split('\n')
      .filter((line) => line.trim() !== '')
    return lines.at(-1)?.trim().slice(0, most) ?? null
  } finally {
    await file.close()
  }
}
