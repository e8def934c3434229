import { setTimeout as delay } from 'node:timers/promises'
import { type Json, systemScope } from '@medley/kernel'
import { sql, type Transaction } from 'kysely'
import { Client } from 'pg'
import type { OpenedStore, StoredEvent } from '../ports.ts'
import { createHorizon } from './horizon.ts'
import { OUTBOX_CHANNEL } from './schema.ts'

export interface ConsumerOptions<Tables> {
  readonly store: OpenedStore
  /** Names the stored offset: the same name goes on where it stood, a new one begins at the first event. */
  readonly name: string
  /** Only these event types; all when left out. */
  readonly types?: readonly string[]
  /**
   * Called once per event in causal order. What it does with `tx` takes effect exactly once, because the offset
   * moves in the same transaction; anything outside the database may happen twice. Throwing repeats it later.
   */
  handle(event: StoredEvent, tx: Transaction<Tables>): Promise<void>
  readonly pollMs?: number
  readonly log?: (message: string, error: unknown) => void
}

export interface Consumer {
  /** Handles what is there and resolves with the number of events; for tests and for draining at a stop. */
  drain(): Promise<number>
  /** Runs until `stop`. Several processes may run the same consumer: one of them works at a time. */
  start(): void
  stop(): Promise<void>
}

const BATCH = 100

/** While transactions that may hold earlier events are still open. */
const PENDING_MS = 20

/**
 * Reads the outbox in the order of its numbers and skips none. A number is drawn before its commit, so a later one can
 * become visible first. Therefore an event is handled only when every transaction that could hold a lower number has
 * ended ({@link createHorizon}); for one subject, whose changes wait for each other, this is the causal order.
 */
export function createConsumer<Tables>(options: ConsumerOptions<Tables>): Consumer {
  const { store, name, types, log, pollMs = 1_000 } = options
  const scope = systemScope(`consumer:${name}`)
  const db = store.tables<Tables>()
  const horizon = createHorizon()

  /** @returns events handled, or null when there is nothing to do (or another process is at it). */
  const step = (limit: number): Promise<number | null> =>
    db.run(scope, async (tx) => {
      const safe = await horizon.advance(tx)
      if (safe <= (await readOffset(tx, name))) return null
      const offset = await lockOffset(tx, name)
      if (offset === null || offset >= safe) return null
      const events = await readEvents(tx, { above: offset, upTo: safe, types, limit })
      for (const event of events) await options.handle(event, tx)
      const reached = events.length === limit ? events.at(-1)?.sequence : safe
      await sql`
        update outbox_consumers set sequence = ${String(reached)}::bigint, updated_at = now()
        where name = ${name}`.execute(tx)
      return events.length
    })

  async function drain(): Promise<number> {
    let handled = 0
    for (;;) {
      // One bad event must not undo the good ones before it again and again.
      const count = await step(BATCH).catch(() => step(1))
      if (count === null) return handled
      handled += count
    }
  }

  let stopped = false
  let running: Promise<void> | null = null
  const bell = createBell()

  async function loop(): Promise<void> {
    const listener = listen(store, bell.ring, () => stopped)
    for (let waitMs = pollMs; !stopped; ) {
      try {
        await drain()
        waitMs = pollMs
      } catch (error) {
        log?.(`outbox consumer ${name} failed and will try again`, error)
        waitMs = Math.min(waitMs * 2, 30_000)
      }
      if (!stopped) await bell.wait(horizon.isPending() ? Math.min(PENDING_MS, waitMs) : waitMs)
    }
    await listener.close()
  }

  return {
    drain,
    start() {
      running ??= loop()
    },
    async stop() {
      stopped = true
      bell.ring()
      await running
    },
  }
}

async function readOffset<Tables>(tx: Transaction<Tables>, name: string): Promise<bigint> {
  const { rows } = await sql<{ sequence: string }>`
    select sequence::text as sequence from outbox_consumers where name = ${name}`.execute(tx)
  return BigInt(rows[0]?.sequence ?? 0)
}

/** @returns null when another process holds the consumer. */
async function lockOffset<Tables>(tx: Transaction<Tables>, name: string): Promise<bigint | null> {
  await sql`
    insert into outbox_consumers (name, sequence, updated_at) values (${name}, 0, now())
    on conflict (name) do nothing`.execute(tx)
  const { rows } = await sql<{ sequence: string }>`
    select sequence::text as sequence from outbox_consumers where name = ${name} for update skip locked`.execute(tx)
  return rows[0] === undefined ? null : BigInt(rows[0].sequence)
}

interface Slice {
  readonly above: bigint
  readonly upTo: bigint
  readonly types: readonly string[] | undefined
  readonly limit: number
}

interface EventRow extends Omit<StoredEvent, 'sequence' | 'payload'> {
  readonly number: string
  readonly payload: Json
}

async function readEvents<Tables>(tx: Transaction<Tables>, slice: Slice): Promise<readonly StoredEvent[]> {
  const ofTypes = slice.types === undefined ? sql`` : sql`and type = any(${[...slice.types]}::text[])`
  const { rows } = await sql<EventRow>`
    select sequence::text as number, id, type, version, tenant_id as "tenantId", actor, subject,
      causation_id as "causationId", correlation_id as "correlationId", occurred_at as "occurredAt",
      recorded_at as "recordedAt", payload, payload_digest as "payloadDigest"
    from outbox_events
    where sequence > ${String(slice.above)}::bigint and sequence <= ${String(slice.upTo)}::bigint ${ofTypes}
    order by sequence limit ${slice.limit}`.execute(tx)
  return rows.map(({ number, ...row }) => ({ ...row, sequence: BigInt(number) }))
}

interface Bell {
  readonly ring: () => void
  /** Resolves at the next ring, at once when it rang since the last wait, or after `ms`. */
  wait(ms: number): Promise<void>
}

function createBell(): Bell {
  let rung = false
  let wake: (() => void) | null = null
  return {
    ring() {
      rung = true
      wake?.()
    },
    async wait(ms) {
      const timer = new AbortController()
      const ring = new Promise<void>((resolve) => {
        wake = resolve
      })
      if (!rung) await Promise.race([ring, delay(ms, undefined, { signal: timer.signal }).catch(() => undefined)])
      timer.abort()
      rung = false
      wake = null
    },
  }
}

/** Keeps one connection listening; while it is down the poll alone carries on. */
function listen(store: OpenedStore, onNotice: () => void, isStopped: () => boolean): { close(): Promise<void> } {
  let client: Client | null = null
  const connect = async (): Promise<void> => {
    if (isStopped()) return
    const next = new Client(store.pool.options)
    client = next
    next.on('notification', onNotice)
    next.on('error', () => undefined)
    next.on('end', () => setTimeout(() => void connect(), 1_000).unref())
    try {
      await next.connect()
      await next.query(`listen ${OUTBOX_CHANNEL}`)
      onNotice()
    } catch {
      await next.end().catch(() => undefined)
    }
  }
  void connect()
  return { close: async () => await client?.end().catch(() => undefined) }
}
