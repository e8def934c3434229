import type { Readable } from 'node:stream'
import { type Entry, openPromise, type ZipFile } from 'yauzl'
import { writeStream } from './file-bytes.ts'

/**
 * Extracts one member of a wheel (a zip archive) by streaming. The size that the archive declares is checked before
 * and enforced by the reader while, so that a hostile archive cannot fill the disk.
 *
 * @throws {Error} where the member is missing, has another size, or does not inflate.
 */
export async function extractMember(
  wheel: string,
  member: string,
  expectedBytes: number,
  target: string,
  onBytes: (done: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const zip = await openPromise(wheel, { autoClose: false })
  try {
    const entry = await findEntry(zip, member)
    if (!entry) throw new Error(`the wheel has no ${member}`)
    if (entry.uncompressedSize !== expectedBytes) {
      throw new Error(`${member} has ${entry.uncompressedSize} bytes where ${expectedBytes} were expected`)
    }
    const stream: Readable = await zip.openReadStreamPromise(entry)
    await writeStream(stream, target, onBytes, signal)
  } finally {
    zip.close()
  }
}

async function findEntry(zip: ZipFile, member: string): Promise<Entry | null> {
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName === member) return entry
  }
  return null
}
