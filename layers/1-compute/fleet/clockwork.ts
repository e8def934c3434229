import type { Clock, IdFactory } from '@medley/kernel'
import type { ScopedDatabase, Transaction } from '@medley/store'
import { sql } from 'kysely'
import { insertEvents } from './adapters/chip-store.ts'
import { markConnected, writeHeard } from './adapters/node-store.ts'
import type { FleetTables } from './adapters/tables.ts'
import type { ChipState, Coded } from './domain/state.ts'
import type { KnownNode, KnownNodes } from './known-nodes.ts'
import { FLEET } from './observe.ts'
import type { Fleet } from './views.ts'

type Tx = Transaction<FleetTables>

export interface ClockworkParts {
  readonly database: ScopedDatabase<FleetTables>
  readonly clock: Clock
  readonly ids: IdFactory
  readonly known: KnownNodes
  readonly inTurn: <Result>(nodeId: string, work: () => Promise<Result>) => Promise<Result>
  /** What is known of a node, read from the store where this process has forgotten it. */
  readonly recall: (nodeId: string) => Promise<KnownNode | null>
  readonly touched: () => void
  readonly standing: OperatorsWord
  readonly runsAnything: (nodeId: string) => Promise<boolean>
  /** Not heard for so long: away. */
  readonly awayAfterMs: number
  readonly flushMs: number
}

/** What operators have said and time brings about; kept in memory by who writes it. */
export interface OperatorsWord {
  /** Nodes whose cordon is `draining`: something may still run there. */
  drainingOnly(): Promise<readonly string[]>
  markDrained(nodeId: string): Promise<boolean>
  /** Whether a maintenance window began or ended since the last call. */
  windowsTurned(): Promise<boolean>
}

export function createClockwork(parts: ClockworkParts): Pick<Fleet, 'presence' | 'heard' | 'tick'> {
  const { database, clock, ids, known, awayAfterMs } = parts
  const startedMs = clock.now()
  let flushedMs = startedMs
  let strandedMs = Number.NEGATIVE_INFINITY
  /** Away by the word of this process. */
  const away = new Set<string>()

  const silent = (nodeId: string): boolean => {
    const last = known.heard(nodeId)
    return (last?.atMs ?? startedMs) <= clock.now() - awayAfterMs
  }

  async function turnAway(candidates: readonly string[]): Promise<boolean> {
    if (candidates.length === 0) return false
    // From here on a report of theirs is compared with the store, not with what was true before.
    for (const nodeId of candidates) known.forget(nodeId)
    const gone = await database.run(FLEET, (tx) => turnAwayIn(tx, candidates))
    for (const nodeId of candidates) {
      away.add(nodeId)
      known.forget(nodeId)
    }
    return gone > 0
  }

  async function turnAwayIn(tx: Tx, candidates: readonly string[]): Promise<number> {
    const locked = await sql<{ id: string; hostname: string; last_seen_at: Date }>`
      select id, hostname, last_seen_at from nodes where id = any(${candidates}) and state = 'connected'
      order by id for update`.execute(tx)
    // A word may have come while the rows were waited for.
    const gone = locked.rows
      .filter(({ id }) => silent(id))
      .map(({ id, hostname, last_seen_at }) => {
        // Nobody has looked since the last word, not since somebody noticed.
        const sinceMs = Math.max(known.heard(id)?.atMs ?? 0, last_seen_at.getTime())
        return { id, sinceMs, evidence: [{ code: 'node-away', params: { node: hostname } }] }
      })
    if (gone.length > 0)
      await sql`
      update nodes n set state = 'away', state_since = g.since, last_seen_at = greatest(n.last_seen_at, g.since)
      from jsonb_to_recordset(${recordsOf(gone)}::jsonb) as g (id text, since timestamptz)
      where n.id = g.id`.execute(tx)
    await forgetStates(tx, gone, () => ids.next('event'))
    return gone.length
  }

  /** Nodes that were connected when this process started and have not come back to it. */
  async function stranded(): Promise<readonly string[]> {
    const nowMs = clock.now()
    if (nowMs - startedMs < awayAfterMs || nowMs - strandedMs < parts.flushMs) return []
    strandedMs = nowMs
    const rows = await database.run(FLEET, (tx) =>
      tx
        .selectFrom('nodes')
        .select('id')
        .where('state', '=', 'connected')
        .where('last_seen_at', '<=', new Date(nowMs - awayAfterMs))
        .execute(),
    )
    return rows.map(({ id }) => id).filter((id) => known.heard(id) === undefined)
  }

  async function flush(): Promise<void> {
    if (clock.now() - flushedMs < parts.flushMs) return
    flushedMs = clock.now()
    const heard = known.takeHeard()
    if (heard.length > 0) await database.run(FLEET, (tx) => writeHeard(tx, heard))
  }

  async function welcomeBack(nodeIds: readonly string[]): Promise<boolean> {
    if (nodeIds.length === 0) return false
    const back = await database.run(FLEET, (tx) => markConnected(tx, nodeIds, new Date(clock.now())))
    for (const nodeId of nodeIds) away.delete(nodeId)
    for (const nodeId of back) known.forget(nodeId)
    return back.length > 0
  }

  async function drain(): Promise<boolean> {
    let changed = false
    for (const nodeId of await parts.standing.drainingOnly())
      if (!(await parts.runsAnything(nodeId))) changed = (await parts.standing.markDrained(nodeId)) || changed
    return changed
  }

  async function tickOnce(): Promise<{ changed: boolean }> {
    const heard = [...known.everyHeard()].map(([nodeId]) => nodeId)
    const quiet = heard.filter((id) => !away.has(id) && silent(id))
    const gone = await turnAway([...quiet, ...(await stranded())])
    const back = await welcomeBack([...away].filter((id) => !silent(id)))
    await flush()
    const turned = await parts.standing.windowsTurned()
    // Last, for it asks others, who may fail.
    const changed = (await drain()) || gone || back || turned
    if (changed) parts.touched()
    return { changed }
  }

  let ticking: Promise<{ changed: boolean }> | null = null

  return {
    heard: (nodeId, clockSkewMs) => known.hear(nodeId, clock.now(), clockSkewMs),

    async presence(nodeId, connected) {
      if (!connected) return
      known.hear(nodeId, clock.now(), null)
      const changed = await parts.inTurn(nodeId, async () => {
        const state = (await parts.recall(nodeId))?.state
        return state === 'away' || away.has(nodeId) ? await welcomeBack([nodeId]) : false
      })
      if (changed) parts.touched()
    },

    // A slow one is not overtaken by the next.
    tick: () => {
      ticking ??= tickOnce().finally(() => {
        ticking = null
      })
      return ticking
    },
  }
}

/**
 * Chips of nodes on which nobody looks become `unknown`, with one statement for all and the events of all. Their
 * digests go, so that the next report of each is read in full.
 */
export async function forgetStates(
  tx: Tx,
  nodes: readonly { readonly id: string; readonly sinceMs: number; readonly evidence: readonly Coded[] }[],
  nextId: () => string,
): Promise<void> {
  if (nodes.length === 0) return
  // After all that is in their history, also where that is younger than the last word that was written down.
  const { rows } = await sql<{ id: string; node_id: string; state: ChipState; state_since: Date; latest: Date | null }>`
    select c.id, c.node_id, c.state, c.state_since,
      (select max(e.at) from chip_events e where e.chip_id = c.id and e.kind in ('found', 'state')) as latest
    from chips c
    where c.node_id = any(${nodes.map(({ id }) => id)}) and c.state <> 'absent' order by c.id for update of c`.execute(
    tx,
  )
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const chips = rows.flatMap((row) => {
    const node = byId.get(row.node_id)
    if (!node) return []
    const stays = row.state === 'unknown'
    const sinceMs = stays ? row.state_since.getTime() : Math.max(node.sinceMs, row.latest?.getTime() ?? 0)
    return [{ id: row.id, nodeId: node.id, sinceMs, stays, evidence: node.evidence }]
  })
  await sql`
    update chips c set state = 'unknown', state_since = g.since, evidence = g.evidence, digest = null
    from jsonb_to_recordset(${recordsOf(chips)}::jsonb) as g (id text, since timestamptz, evidence jsonb)
    where c.id = g.id`.execute(tx)
  const events = chips
    .filter(({ stays }) => !stays)
    .map(({ id, nodeId, sinceMs, evidence }) => ({
      chipId: id,
      nodeId,
      kind: 'state' as const,
      atMs: sinceMs,
      agentAtMs: null,
      from: null,
      to: 'unknown',
      evidence,
      by: null,
    }))
  await insertEvents(tx, events, nextId)
}

function recordsOf(
  rows: readonly { readonly id: string; readonly sinceMs: number; readonly evidence: readonly Coded[] }[],
): string {
  return JSON.stringify(
    rows.map(({ id, sinceMs, evidence }) => ({ id, since: new Date(sinceMs).toISOString(), evidence })),
  )
}
