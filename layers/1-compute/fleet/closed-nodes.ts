import type { Clock } from '@medley/kernel'
import type { ScopedDatabase, Transaction } from '@medley/store'
import { sql } from 'kysely'
import type { FleetTables } from './adapters/tables.ts'
import { visibleTo } from './adapters/views-store.ts'
import { FLEET } from './observe.ts'
import type { CordonState, MaintenanceWindow, Viewer } from './views.ts'

type Tx = Transaction<FleetTables>

/** Windows that have not ended, the next one first. */
export async function readWindows(
  tx: Tx,
  viewer: Viewer,
  now: Date,
  nodeId?: string,
): Promise<readonly MaintenanceWindow[]> {
  const ofNode = nodeId === undefined ? sql`true` : sql`w.node_id = ${nodeId}`
  const { rows } = await sql<MaintenanceWindow>`
    select w.id, w.node_id as "nodeId", w.starts_at as "startsAt", w.ends_at as "endsAt", w.reason,
      w.created_by as "createdBy"
    from maintenance_windows w join nodes n on n.id = w.node_id
    where w.ends_at > ${now} and ${ofNode} and ${visibleTo(viewer)} order by w.starts_at, w.id`.execute(tx)
  return rows
}

/** Asked for with every order to an agent and at every tick: read once, and again when it may have changed. */
export function createClosedNodes({
  database,
  clock,
  refreshMs,
}: {
  readonly database: ScopedDatabase<FleetTables>
  readonly clock: Clock
  /** How old what is kept may be; another process may have written since. */
  readonly refreshMs: number
}) {
  let kept: {
    readonly atMs: number
    readonly cordons: ReadonlyMap<string, CordonState>
    readonly windows: readonly MaintenanceWindow[]
  } | null = null
  let inForce = ''
  let changes = 0

  async function current() {
    if (kept && clock.now() - kept.atMs < refreshMs) return kept
    const atMs = clock.now()
    const before = changes
    const read = await database.run(FLEET, async (tx) => {
      const rows = await tx
        .selectFrom('nodes')
        .select(['id', 'cordon_state'])
        .where('cordon_state', 'in', ['draining', 'drained'])
        .execute()
      const cordons = new Map(rows.map(({ id, cordon_state }) => [id, cordon_state ?? 'draining'] as const))
      return { atMs, cordons, windows: await readWindows(tx, { all: true }, new Date(atMs)) }
    })
    // What was read while somebody wrote may be old already.
    if (before === changes) kept = read
    return read
  }

  return {
    forget: () => {
      changes += 1
      kept = null
    },
    cordons: async () => (await current()).cordons,
    windowsTurned: async () => {
      const nowMs = clock.now()
      const { windows } = await current()
      const running = windows.filter(({ startsAt, endsAt }) => startsAt.getTime() <= nowMs && endsAt.getTime() > nowMs)
      const before = inForce
      inForce = running.map(({ id }) => id).join(' ')
      return inForce !== before
    },
  }
}
