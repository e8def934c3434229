import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type GatewaySnapshot, gatewaySnapshot } from '@medley/serving/protocol'
import type { Log } from '../log.ts'
import type { ControlPlane } from './control-plane.ts'

export interface FollowerOptions {
  readonly directory: string
  readonly controlPlane: ControlPlane
  readonly waitMs: number
  readonly onSnapshot: (snapshot: GatewaySnapshot) => void
  readonly log: Log
}

const FIRST_BACKOFF_MS = 100
const LONGEST_BACKOFF_MS = 5000
/** The server may be busy for this long beyond the wait it was asked for. */
const GRACE_MS = 10_000
const QUICK_MS = 200

/** Keeps the newest snapshot in memory and on the disk, so that this worker also starts while the server is away. */
export class SnapshotFollower {
  readonly #options: FollowerOptions
  readonly #path: string
  readonly #stopping = new AbortController()
  #revision: number | null = null
  #loop: Promise<void> | null = null

  constructor(options: FollowerOptions) {
    this.#options = options
    this.#path = join(options.directory, 'snapshot.json')
  }

  /** Serves from the disk at once, then follows the server. */
  start(): void {
    mkdirSync(this.#options.directory, { recursive: true, mode: 0o700 })
    const stored = this.#load()
    if (stored !== null) this.#take(stored)
    this.#loop = this.#follow()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopping
    let backoffMs = FIRST_BACKOFF_MS
    while (!signal.aborted) {
      try {
        await this.#poll(signal)
        backoffMs = FIRST_BACKOFF_MS
      } catch (error) {
        if (signal.aborted) return
        if (backoffMs === FIRST_BACKOFF_MS) this.#options.log('warn', 'snapshot.failed', { error: String(error) })
        await sleep(backoffMs, null, { signal }).catch(() => null)
        backoffMs = Math.min(LONGEST_BACKOFF_MS, backoffMs * 2)
      }
    }
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const { waitMs, controlPlane } = this.#options
    const path = `/internal/gateway/snapshot?after=${this.#revision ?? -1}&waitMs=${waitMs}`
    const askedAt = performance.now()
    const answer = await controlPlane.call({ method: 'GET', path, timeoutMs: waitMs + GRACE_MS, signal })
    if (answer.status === 204) {
      // A server that is stopping answers at once; asking it again at once would only keep both busy.
      if (performance.now() - askedAt < QUICK_MS) await sleep(QUICK_MS, null, { signal })
      return
    }
    if (answer.status !== 200) throw new Error(`the server answered ${answer.status}`)
    const snapshot = gatewaySnapshot.parse(JSON.parse(answer.body))
    // A restored backup may bring an older revision; the server's word is the newest in any case.
    this.#store(snapshot)
    this.#take(snapshot)
  }

  #take(snapshot: GatewaySnapshot): void {
    this.#revision = snapshot.revision
    this.#options.onSnapshot(snapshot)
  }

  #load(): GatewaySnapshot | null {
    try {
      return gatewaySnapshot.parse(JSON.parse(readFileSync(this.#path, 'utf8')))
    } catch (error) {
      const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      if (!missing) this.#options.log('warn', 'snapshot.unreadable', { error: String(error) })
      return null
    }
  }

  /** A disk that is full must not keep a revoked key alive: the snapshot then counts in memory only. */
  #store(snapshot: GatewaySnapshot): void {
    try {
      const draft = `${this.#path}.draft`
      const fd = openSync(draft, 'w', 0o600)
      try {
        writeFileSync(fd, JSON.stringify(snapshot))
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
      renameSync(draft, this.#path)
    } catch (error) {
      this.#options.log('error', 'snapshot.not-stored', { error: String(error) })
    }
  }
}
