import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Log } from '../log.ts'
import { journalLines, recordJson } from './entry.ts'
import type { Journal, JournalPosition } from './journal.ts'
import { listSegments, segmentPath } from './segments.ts'

const shippedState = z.object({ segment: z.number().int().nonnegative(), offset: z.number().int().nonnegative() })
type ShippedState = z.infer<typeof shippedState>

const CHUNK_BYTES = 256 * 1024
const FIRST_BACKOFF_MS = 100
const LONGEST_BACKOFF_MS = 10_000

/** How far the server has committed. A lost or damaged file costs only a repeated, idempotent delivery. */
export function readShipped(directory: string): ShippedState {
  try {
    return shippedState.parse(JSON.parse(readFileSync(join(directory, 'shipped.json'), 'utf8')))
  } catch {
    return { segment: 0, offset: 0 }
  }
}

export interface ShipperOptions {
  readonly directory: string
  readonly journal: Journal
  /** Resolves once the server has committed the records of `{"records":[...]}`; rejects otherwise. */
  readonly deliver: (body: string, signal: AbortSignal) => Promise<void>
  readonly delayMs: number
  readonly log: Log
}

interface Batch {
  readonly records: readonly string[]
  readonly next: ShippedState
}

/**
 * Carries the journal's records to the server, in order, for as long as it takes. Reads from the disk batch by
 * batch, so that a server that is away for a day costs no memory.
 */
export class Shipper {
  readonly #options: ShipperOptions
  readonly #stopping = new AbortController()
  #at: ShippedState
  #file: { readonly segment: number; readonly handle: FileHandle } | null = null
  #wake: () => void = () => {}
  #woken = false
  #loop: Promise<void> | null = null
  #delivered = 0

  constructor(options: ShipperOptions) {
    this.#options = options
    this.#at = readShipped(options.directory)
  }

  get delivered(): number {
    return this.#delivered
  }

  start(): void {
    this.#loop ??= this.#run()
  }

  wake(): void {
    this.#woken = true
    this.#wake()
  }

  /** Waits until everything is delivered, but not longer than `withinMs`; then stops. The rest stays on the disk. */
  async stop(withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs
    this.wake()
    while (!this.#isAtEnd() && performance.now() < deadline) await pause(20, this.#stopping.signal)
    this.#stopping.abort()
    this.#wake()
    await this.#loop
    await this.#file?.handle.close()
    this.#file = null
  }

  #isAtEnd(): boolean {
    const end = this.#options.journal.position
    return this.#at.segment === end.segment && this.#at.offset >= end.bytes
  }

  async #run(): Promise<void> {
    let backoffMs = FIRST_BACKOFF_MS
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        const batch = await this.#read()
        if (batch === null) {
          await this.#sleepUntilWoken()
          continue
        }
        if (batch.records.length > 0) {
          await this.#options.deliver(`{"records":[${batch.records.join(',')}]}`, signal)
          this.#delivered += batch.records.length
        }
        this.#advance(batch.next)
        backoffMs = FIRST_BACKOFF_MS
      } catch (error) {
        if (signal.aborted) return
        if (backoffMs === FIRST_BACKOFF_MS)
          this.#options.log('warn', 'journal.delivery-failed', { error: String(error) })
        await pause(backoffMs, signal)
        backoffMs = Math.min(LONGEST_BACKOFF_MS, backoffMs * 2)
      }
    }
  }

  async #sleepUntilWoken(): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        if (this.#woken || this.#stopping.signal.aborted) resolve()
      })
    }
    this.#woken = false
    await pause(this.#options.delayMs, this.#stopping.signal)
  }

  /** The next records and where they end; null when everything has been read. */
  async #read(): Promise<Batch | null> {
    const end = this.#options.journal.position
    const segment = this.#segmentToRead(end)
    const offset = segment === this.#at.segment ? this.#at.offset : 0
    const isLast = segment === end.segment
    const handle = await this.#handle(segment)
    const wanted = isLast ? Math.min(CHUNK_BYTES, end.bytes - offset) : CHUNK_BYTES
    if (wanted <= 0) {
      this.#at = { segment, offset }
      return null
    }
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(wanted), 0, wanted, offset)
    const records: string[] = []
    let read = 0
    for (const line of journalLines(buffer.subarray(0, bytesRead))) {
      read = line.end
      const record = line.json === null ? null : recordJson(line.json)
      if (record !== null) records.push(record)
    }
    if (read > 0) return { records, next: { segment, offset: offset + read } }
    // Nothing whole is left: a torn tail in a finished segment, or a damaged stretch without a newline.
    if (isLast || bytesRead === CHUNK_BYTES) return { records, next: { segment, offset: offset + bytesRead } }
    return { records, next: { segment: this.#segmentAfter(segment, end), offset: 0 } }
  }

  #segmentToRead(end: JournalPosition): number {
    return listSegments(this.#options.directory).find((number) => number >= this.#at.segment) ?? end.segment
  }

  #segmentAfter(segment: number, end: JournalPosition): number {
    return listSegments(this.#options.directory).find((number) => number > segment) ?? end.segment
  }

  async #handle(segment: number): Promise<FileHandle> {
    if (this.#file?.segment === segment) return this.#file.handle
    await this.#file?.handle.close()
    this.#file = null
    const handle = await open(segmentPath(this.#options.directory, segment), 'r')
    this.#file = { segment, handle }
    return handle
  }

  #advance(next: ShippedState): void {
    const path = join(this.#options.directory, 'shipped.json')
    writeFileSync(`${path}.draft`, JSON.stringify(next), { mode: 0o600 })
    renameSync(`${path}.draft`, path)
    this.#at = next
    for (const number of listSegments(this.#options.directory)) {
      if (number < next.segment) rmSync(segmentPath(this.#options.directory, number))
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
