import { type FileHandle, open, rename } from 'node:fs/promises'
import { Writable } from 'node:stream'

const LONGEST_LOG_BYTES = 10 * 2 ** 20
const REMEMBERED_CHARACTERS = 8_192

export interface LogFile extends Writable {
  /** The line that most likely says why a process ended; null when it wrote nothing since `forget`. */
  lastWord(): string | null
  /** Forgets what was written so far, as a new process begins to write. */
  forget(): void
}

/**
 * Appends to a log of at most `limitBytes` (10 MiB), with one older file `FILE.1` beside it. What the disk does not
 * take is dropped: a full disk must neither end the supervisor nor stop the process whose output nobody would read.
 */
export function openLogFile(path: string, limitBytes = LONGEST_LOG_BYTES): LogFile {
  let handle: FileHandle | null = null
  let size = 0
  let recent = ''

  async function append(piece: Buffer): Promise<void> {
    if (handle && size > 0 && size + piece.length > limitBytes) {
      await close()
      await rename(path, `${path}.1`)
    }
    if (!handle) {
      handle = await open(path, 'a', 0o600)
      size = (await handle.stat()).size
    }
    size += piece.length
    await handle.appendFile(piece)
  }
  async function close(): Promise<void> {
    const closing = handle
    handle = null
    await closing?.close().catch(() => undefined)
  }

  const stream = new Writable({
    write(piece: Buffer, _encoding, done) {
      recent = (recent + piece.toString('utf8')).slice(-REMEMBERED_CHARACTERS)
      // Opened anew with the next piece: the disk may have room again, or the folder may be back.
      append(piece)
        .catch(close)
        .then(() => done())
    },
    final(done) {
      close().then(() => done())
    },
  })
  // Made at once: a person who is told of the file shall find it, also when nothing was written.
  stream.write('')
  return Object.assign(stream, {
    lastWord: () => tellingLine(recent),
    forget: () => {
      recent = ''
    },
  })
}

/** Node writes an error's message above its stack, its fields indented below, and its own version last. */
const TELLING = [/^(?:Uncaught )?\w*Error\b/, /^(?!\s).*\b(?:fatal|panic|error)\b/i, /^(?!\s|Node\.js v).*\S/]

function tellingLine(text: string): string | null {
  const lines = text.split('\n')
  for (const telling of TELLING) {
    const line = lines.findLast((each) => telling.test(each))
    if (line !== undefined) return readable(line.trim())
  }
  return null
}

/** Our own processes log JSON; a person wants its sentence. */
function readable(line: string): string {
  try {
    const entry: unknown = JSON.parse(line)
    if (typeof entry !== 'object' || entry === null) return line
    const said = 'msg' in entry ? String(entry.msg) : line
    const cause = 'err' in entry && typeof entry.err === 'object' && entry.err !== null ? entry.err : {}
    return 'message' in cause ? `${said}: ${String(cause.message)}` : said
  } catch {
    return line
  }
}
