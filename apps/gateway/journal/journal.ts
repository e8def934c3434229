import { closeSync, fdatasync, fdatasyncSync, fsyncSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs'
import type { Clock } from '@medley/kernel'
import type { UsageRecord } from '@medley/supply/protocol'
import type { Log } from '../log.ts'
import { encodeEntry, interruptedRecord, type RequestStart } from './entry.ts'
import { lockDirectory } from './lock.ts'
import { listSegments, replay, segmentPath } from './segments.ts'

export interface JournalOptions {
  readonly directory: string
  readonly segmentBytes: number
  readonly syncDelayMs: number
  readonly lockWaitMs: number
  /** Segments up to this number are known to have existed, although they may have been deleted since. */
  readonly lastKnownSegment: () => number
  readonly clock: Clock
  readonly log: Log
}

export interface JournalPosition {
  readonly segment: number
  /** Bytes of whole entries in it. */
  readonly bytes: number
}

const RETRY_MS = 1000

/**
 * The worker's usage journal. An entry is with the kernel when `begin` or `end` returns, so no kill of the process
 * loses it, and on the disk within `syncDelayMs` and one sync, which bounds what a power cut costs.
 */
export class Journal {
  readonly #options: JournalOptions
  readonly #unlock: () => void
  readonly #open = new Map<string, RequestStart>()
  /** Ended requests that could not be written; as many at most as were running when the disk failed. */
  #unwritten: UsageRecord[] = []
  #segment: number
  #fd: number
  #bytes = 0
  #syncTimer: NodeJS.Timeout | null = null
  #syncing = false
  #dirty = false
  #failed = false
  #mustRotate = false
  #retryTimer: NodeJS.Timeout | null = null
  /** Descriptors of full segments that a running sync may still use. */
  #retired: number[] = []
  #closed = false
  /** Called after each end entry. */
  onRecord: () => void = () => {}

  private constructor(options: JournalOptions, unlock: () => void, segment: number) {
    this.#options = options
    this.#unlock = unlock
    this.#segment = segment
    this.#fd = openSegment(options.directory, segment)
  }

  /**
   * Locks the directory, replays what is there and records the requests a predecessor left open as interrupted.
   *
   * @throws {Error} when another living process holds the directory, or the disk cannot be written.
   */
  static async open(options: JournalOptions): Promise<Journal> {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 })
    const unlock = await lockDirectory(options.directory, options.lockWaitMs)
    try {
      const { open, damagedLines } = replay(options.directory)
      if (damagedLines > 0 || open.length > 0) {
        options.log('warn', 'journal.recovered', { damagedLines, interrupted: open.length })
      }
      const last = Math.max(options.lastKnownSegment(), listSegments(options.directory).at(-1) ?? 0)
      const journal = new Journal(options, unlock, last + 1)
      const foundAt = options.clock.now()
      for (const start of open) journal.#append(encodeEntry({ end: interruptedRecord(start, foundAt) }))
      return journal
    } catch (error) {
      unlock()
      throw error
    }
  }

  get position(): JournalPosition {
    return { segment: this.#segment, bytes: this.#bytes }
  }

  /** False while the last write failed: what is served now could not be metered. */
  get healthy(): boolean {
    return !this.#failed
  }

  /** Returns false when the disk refuses: the request must then not be forwarded. */
  begin(start: RequestStart): boolean {
    if (!this.#settleDebt() || !this.#tryAppend(encodeEntry({ begin: start }))) return false
    this.#open.set(start.requestId, start)
    return true
  }

  /**
   * Returns false when the disk refuses: the client must then not be told that its answer is complete. The record of
   * a request that had begun is kept in memory and written as soon as possible; one that was only refused is not, or
   * refusals would fill the memory.
   */
  end(record: UsageRecord): boolean {
    const begun = this.#open.delete(record.requestId)
    if (this.#settleDebt() && this.#tryAppend(encodeEntry({ end: record }))) {
      this.onRecord()
      return true
    }
    if (begun) {
      this.#unwritten.push(record)
      this.#retryLater()
    }
    return false
  }

  /** Writes what is due to the disk and frees the directory. */
  close(): void {
    if (this.#syncTimer !== null) clearTimeout(this.#syncTimer)
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer)
    try {
      this.#settleDebt()
      this.#closed = true
      fdatasyncSync(this.#fd)
      closeSync(this.#fd)
    } finally {
      this.#closed = true
      this.#unlock()
    }
  }

  #settleDebt(): boolean {
    while (this.#unwritten.length > 0) {
      const [record] = this.#unwritten
      if (record !== undefined && !this.#tryAppend(encodeEntry({ end: record }))) return false
      this.#unwritten.shift()
      this.onRecord()
    }
    return true
  }

  #retryLater(): void {
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = null
      if (!this.#settleDebt()) this.#retryLater()
    }, RETRY_MS)
  }

  #tryAppend(line: string): boolean {
    try {
      this.#append(line)
      if (this.#failed) this.#options.log('info', 'journal.writable', {})
      this.#failed = false
      return true
    } catch (error) {
      if (!this.#failed) this.#options.log('error', 'journal.write-failed', { error: String(error) })
      this.#failed = true
      return false
    }
  }

  #append(line: string): void {
    // The number of a closed descriptor may by now be another file's.
    if (this.#closed) throw new Error('the journal is closed')
    if (this.#mustRotate || this.#bytes >= this.#options.segmentBytes) this.#rotate()
    this.#write(Buffer.from(line))
    this.#dirty = true
    this.#syncTimer ??= setTimeout(() => this.#sync(), this.#options.syncDelayMs)
  }

  /** All of `bytes` or none: what a failed write left behind is cut off again. */
  #write(bytes: Buffer): void {
    let written = 0
    try {
      while (written < bytes.length) written += writeSync(this.#fd, bytes, written)
    } catch (error) {
      ftruncateSync(this.#fd, this.#bytes)
      throw error
    }
    this.#bytes += bytes.length
  }

  /**
   * The new segment repeats the starts that are still open, so that the old one holds nothing that is needed once
   * its records are shipped. They are on the disk before the old segment may be deleted.
   */
  #rotate(): void {
    const previous = { fd: this.#fd, segment: this.#segment, bytes: this.#bytes }
    fdatasyncSync(previous.fd)
    this.#fd = openSegment(this.#options.directory, previous.segment + 1)
    this.#bytes = 0
    try {
      const starts = [...this.#open.values()].map((begin) => encodeEntry({ begin })).join('')
      if (starts !== '') this.#write(Buffer.from(starts))
      fdatasyncSync(this.#fd)
    } catch (error) {
      closeSync(this.#fd)
      this.#fd = previous.fd
      this.#bytes = previous.bytes
      throw error
    }
    this.#segment = previous.segment + 1
    this.#mustRotate = false
    this.#retired.push(previous.fd)
    if (!this.#syncing) this.#closeRetired()
  }

  #closeRetired(): void {
    for (const fd of this.#retired.splice(0)) closeSync(fd)
  }

  #sync(): void {
    this.#syncTimer = null
    if (this.#syncing || !this.#dirty || this.#closed) return
    this.#syncing = true
    this.#dirty = false
    fdatasync(this.#fd, (error) => {
      this.#syncing = false
      this.#closeRetired()
      if (error !== null) {
        // After a failed sync the kernel may have dropped the pages and call the file clean: do not trust it again.
        this.#mustRotate = true
        this.#options.log('error', 'journal.sync-failed', { error: String(error) })
      }
      if (this.#dirty) this.#sync()
    })
  }
}

function openSegment(directory: string, number: number): number {
  const fd = openSync(segmentPath(directory, number), 'a', 0o600)
  // The number is new, but a rotation that failed half-way may have left a file under it.
  ftruncateSync(fd, 0)
  // Without this the file itself may be gone after a power cut, whatever was synced into it.
  const directoryFd = openSync(directory, 'r')
  try {
    fsyncSync(directoryFd)
  } finally {
    closeSync(directoryFd)
  }
  return fd
}
