import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Size in bytes, or null where there is no such file. */
export async function fileBytes(path: string): Promise<number | null> {
  const found = await stat(path).catch(() => null)
  return found?.isFile() ? found.size : null
}

/** SHA-256 of a file as hex. */
export async function sha256OfFile(
  path: string,
  onBytes: (done: number) => void,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256')
  let done = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) {
    hash.update(chunk)
    done += chunk.length
    onBytes(done)
  }
  return hash.digest('hex')
}

/** Writes a stream to a file, counting. */
export async function writeStream(
  from: Readable,
  path: string,
  onBytes: (done: number) => void,
  signal: AbortSignal,
): Promise<void> {
  let done = 0
  const count = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      done += chunk.length
      onBytes(done)
      yield chunk
    }
  }
  await pipeline(from, count, createWriteStream(path), { signal })
}

/** Makes the bytes of a file (`r+`) or the names in a directory (`r`) outlive a power cut. */
export async function syncToDisk(path: string, mode: 'r' | 'r+'): Promise<void> {
  const handle = await open(path, mode)
  try {
    await handle.sync()
  } catch (error) {
    // Some systems refuse to sync a directory; the file itself has been synced before.
    if (mode === 'r+' || !(isCode(error, 'EPERM') || isCode(error, 'EINVAL'))) throw error
  } finally {
    await handle.close()
  }
}

export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
