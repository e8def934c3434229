import { setTimeout as delay } from 'node:timers/promises'
import { type Id, type Json, systemScope } from '@medley/kernel'
import { sql, type Transaction } from 'kysely'
import { Client } from 'pg'
import type { OpenedStore, StoredEvent } from '../ports.ts'
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

/**
 * Reads the outbox without skipping. Numbers are drawn before commit, so a later number can become visible first;
 * therefore only events of transactions that had all ended (below `pg_snapshot_xmin`) are read, window by window,
 * and inside a window by sequence: an effect can then never stand before its cause.
 */
export function createConsumer<Tables>(options: ConsumerOptions<Tables>): Consumer {
  const { store, name, log, pollMs = 1_000 } = options
  const scope = systemScope(`consumer:${name}`)
  const db = store.tables<Tables>()

  /** @returns events handled, or null when there is nothing (or another process is at it). */
  const step = (limit: number): Promise<number | null> =>
    db.run(scope, async (tx) => {
      const offset = await lockOffset(tx, name)
      if (offset === null) return null
      const events = await readWindow(tx, offset, options.types, limit)
      for (const event of events) await options.handle(event, tx)
      // An offset that moved over nothing would be a write that makes the next window: never idle.
      if (events.length === 0 && !(await hasEvents(tx, offset))) return null
      const isDone = events.length < limit
      await sql`
        update outbox_consumers set updated_at = now(),
          done_below = ${isDone ? offset.windowBelow : offset.doneBelow}::xid8,
          window_below = ${offset.windowBelow}::xid8,
          sequence = ${isDone ? '0' : String(events.at(-1)?.sequence ?? 0n)}::bigint
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
      if (!stopped) await bell.wait(waitMs)
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

interface Offset {
  readonly doneBelow: string
  readonly windowBelow: string
  readonly sequence: string
}

/** @returns null when another process holds the consumer or no ended transaction lies beyond the offset. */
async function lockOffset<Tables>(tx: Transaction<Tables>, name: string): Promise<Offset | null> {
  await sql`
    insert into outbox_consumers (name, done_below, window_below, sequence, updated_at)
    values (${name}, '0', '0', 0, now()) on conflict (name) do nothing`.execute(tx)
  const locked = await sql<Offset>`
    select done_below::text as "doneBelow", sequence::text as sequence,
      (case when window_below > done_below then window_below
        else pg_snapshot_xmin(pg_current_snapshot()) end)::text as "windowBelow"
    from outbox_consumers where name = ${name} for update skip locked`.execute(tx)
  const offset = locked.rows[0]
  if (offset === undefined || offset.windowBelow === offset.doneBelow) return null
  return offset
}

/** Whether the window holds any event, of other types or already handled. */
async function hasEvents<Tables>(tx: Transaction<Tables>, offset: Offset): Promise<boolean> {
  const { rows } = await sql`
    select 1 from outbox_events
    where transaction_id >= ${offset.doneBelow}::xid8 and transaction_id < ${offset.windowBelow}::xid8
    limit 1`.execute(tx)
  return rows.length > 0
}

interface EventRow extends Omit<StoredEvent, 'sequence' | 'payload'> {
  readonly sequence: string
  readonly payload: Json
}

async function readWindow<Tables>(
  tx: Transaction<Tables>,
  offset: Offset,
  types: readonly string[] | undefined,
  limit: number,
): Promise<readonly StoredEvent[]> {
  const ofTypes = types === undefined ? sql`` : sql`and type = any(${[...types]}::text[])`
  const { rows } = await sql<EventRow>`
    select sequence::text as sequence, id, type, version, tenant_id as "tenantId", actor, subject,
      causation_id as "causationId", correlation_id as "correlationId", occurred_at as "occurredAt",
      recorded_at as "recordedAt", payload, payload_digest as "payloadDigest"
    from outbox_events
    where transaction_id >= ${offset.doneBelow}::xid8 and transaction_id < ${offset.windowBelow}::xid8
      and sequence > ${offset.sequence}::bigint ${ofTypes}
    order by sequence limit ${limit}`.execute(tx)
  return rows.map((row) => ({ ...row, id: row.id as Id<'event'>, sequence: BigInt(row.sequence) }))
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
