import type { Transaction } from '@medley/store'
import { sql } from 'kysely'
import { isMadeUuid, withoutReadings } from '../chip-facts.ts'
import type { StateEntry } from '../domain/history.ts'
import { type ChipState, type Coded, NOT_READ_YET } from '../domain/state.ts'
import type { PlannedEvent, StoredChip, Verdict } from '../observation.ts'
import type { NodeState } from '../views.ts'
import type { FleetTables } from './tables.ts'

type Tx = Transaction<FleetTables>

// Ids are looked up as an array, also where a join says the same: a table that fills up faster than its statistics
// would be read from end to end for each report.

const isoOf = (ms: number): string => new Date(ms).toISOString()

/** The node's chips and those of other nodes that it reports or claims, locked in the order of their ids. */
export async function lockChips(tx: Tx, nodeId: string, uuids: readonly string[]): Promise<readonly StoredChip[]> {
  const { rows } = await sql<StoredRow>`
    select c.id, c.node_id, c.uuid, c.digest, c.state, c.state_since, c.evidence, c.vendor, c.product,
      c.driver_version, c.firmware_version, c.facts ->> 'pciAddress' as pci_address,
      exists (select 1 from chip_claims k where k.node_id = ${nodeId} and k.chip_id = c.id) as claimed,
      c.quarantined_at is not null as quarantined, c.released_at, c.retired_at is not null as retired,
      n.state as holder_state, n.tenant_id as holder_tenant, n.simulated as holder_simulated,
      n.hostname as holder_hostname
    from chips c join nodes n on n.id = c.node_id
    where c.id = any(array(
      select id from chips where node_id = ${nodeId}
      union select id from chips where uuid = any(${uuids}) and uuid_scope = ''
      union select chip_id from chip_claims where node_id = ${nodeId}))
    order by c.id for update of c`.execute(tx)
  return rows.map((row) => ({
    id: row.id,
    nodeId: row.node_id,
    uuid: row.uuid,
    digest: row.digest,
    state: row.state,
    stateSinceMs: row.state_since.getTime(),
    evidence: row.evidence,
    vendor: row.vendor,
    product: row.product,
    driverVersion: row.driver_version,
    firmwareVersion: row.firmware_version,
    pciAddress: row.pci_address,
    claimed: row.claimed,
    quarantined: row.quarantined,
    releasedAtMs: row.released_at?.getTime() ?? null,
    retired: row.retired,
    holder: {
      state: row.holder_state,
      tenantId: row.holder_tenant,
      simulated: row.holder_simulated,
      hostname: row.holder_hostname,
    },
  }))
}

interface StoredRow {
  id: string
  node_id: string
  uuid: string
  digest: string | null
  state: ChipState
  state_since: Date
  evidence: readonly Coded[]
  vendor: string
  product: string
  driver_version: string | null
  firmware_version: string | null
  pci_address: string | null
  claimed: boolean
  quarantined: boolean
  released_at: Date | null
  retired: boolean
  holder_state: NodeState
  holder_tenant: string | null
  holder_simulated: boolean
  holder_hostname: string
}

/** The end of each chip's history of states, from the last entry before `sinceMs` on. */
export async function readHistories(
  tx: Tx,
  wanted: readonly { readonly chipId: string; readonly sinceMs: number }[],
): Promise<ReadonlyMap<string, readonly StateEntry[]>> {
  const histories = new Map<string, StateEntry[]>()
  if (wanted.length === 0) return histories
  const asked = JSON.stringify(wanted.map(({ chipId, sinceMs }) => ({ chip_id: chipId, since: isoOf(sinceMs) })))
  const { rows } = await sql<{
    chip_id: string
    at: Date
    to_value: ChipState
    evidence: readonly Coded[]
    agent_at_ms: string | null
  }>`
    select e.chip_id, e.at, e.to_value, e.evidence, e.agent_at_ms
    from jsonb_to_recordset(${asked}::jsonb) as w (chip_id text, since timestamptz)
    join chip_events e on e.chip_id = w.chip_id and e.kind in ('found', 'state')
    where e.chip_id = any(${wanted.map(({ chipId }) => chipId)}) and e.at >= coalesce(
      (select max(b.at) from chip_events b
       where b.chip_id = w.chip_id and b.kind in ('found', 'state') and b.at < w.since),
      '-infinity')
    order by e.chip_id, e.at, e.sequence`.execute(tx)
  for (const row of rows) {
    const entry: StateEntry = {
      state: row.to_value,
      evidence: row.evidence,
      atMs: row.at.getTime(),
      agentAtMs: row.agent_at_ms === null ? null : Number(row.agent_at_ms),
    }
    const list = histories.get(row.chip_id)
    if (list) list.push(entry)
    else histories.set(row.chip_id, [entry])
  }
  return histories
}

export interface ChipWrite {
  readonly verdict: Verdict
  readonly nodeId: string
  readonly hostname: string
  readonly simulated: boolean
  readonly nowMs: number
}

/** Columns of both statements below, in one order. */
const RECORD = sql.raw(`r (
  id text, node_id text, uuid text, uuid_scope text, vendor text, health text, facts jsonb, digest text, state text,
  state_since timestamptz, evidence jsonb, card_key text, product text, driver_version text, firmware_version text,
  simulated boolean, search text, quarantined_at timestamptz, quarantine_reason jsonb, last_seen_at timestamptz)`)

function recordOf({ verdict, nodeId, hostname, simulated, nowMs }: ChipWrite): Record<string, unknown> {
  const { facts, standing, known, quarantine } = verdict
  return {
    id: verdict.chipId,
    node_id: nodeId,
    digest: verdict.digest,
    state: standing.state,
    state_since: isoOf(verdict.sinceMs),
    evidence: standing.evidence,
    product: known.product,
    driver_version: known.driverVersion,
    firmware_version: known.firmwareVersion,
    simulated,
    last_seen_at: isoOf(nowMs),
    health: facts?.health ?? 'lost',
    ...(quarantine ? { quarantined_at: isoOf(nowMs), quarantine_reason: quarantine } : {}),
    ...(facts
      ? {
          uuid: facts.uuid,
          uuid_scope: isMadeUuid(facts) ? nodeId : '',
          vendor: facts.vendor,
          facts: withoutReadings({ ...facts, simulated }),
          card_key: facts.cardKey,
          search: searchOf(facts, hostname),
        }
      : {}),
  }
}

function searchOf(facts: { product: string; uuid: string; serial: string | null }, hostname: string): string {
  return [facts.product, hostname, facts.uuid, facts.serial ?? ''].join(' ').toLowerCase()
}

/** @returns ids of the chips that were inserted; another node may have been first with one of them */
export async function insertChips(tx: Tx, writes: readonly ChipWrite[]): Promise<ReadonlySet<string>> {
  if (writes.length === 0) return new Set()
  // In one order everywhere: two nodes that report the same chips for the first time do not lock each other out.
  const uuidOf = ({ verdict }: ChipWrite): string => verdict.facts?.uuid ?? ''
  const records = writes.toSorted((one, other) => (uuidOf(one) < uuidOf(other) ? -1 : 1)).map(recordOf)
  const { rows } = await sql<{ id: string }>`
    insert into chips (id, node_id, uuid, uuid_scope, vendor, health, facts, digest, state, state_since, evidence,
      card_key, product, driver_version, firmware_version, simulated, search, quarantined_at, quarantine_reason,
      quarantined_by, first_seen_at, last_seen_at)
    select id, node_id, uuid, uuid_scope, vendor, health, facts, digest, state, state_since, evidence,
      card_key, product, driver_version, firmware_version, simulated, search, quarantined_at, quarantine_reason,
      case when quarantined_at is null then null else 'fleet' end, last_seen_at, last_seen_at
    from jsonb_to_recordset(${JSON.stringify(records)}::jsonb) as ${RECORD}
    on conflict (uuid, uuid_scope) do nothing
    returning id`.execute(tx)
  return new Set(rows.map(({ id }) => id))
}

export async function updateChips(tx: Tx, writes: readonly ChipWrite[]): Promise<void> {
  if (writes.length === 0) return
  await sql`
    update chips c set
      node_id = r.node_id, uuid = coalesce(r.uuid, c.uuid), uuid_scope = coalesce(r.uuid_scope, c.uuid_scope),
      vendor = coalesce(r.vendor, c.vendor), health = r.health, facts = coalesce(r.facts, c.facts), digest = r.digest,
      state = r.state, state_since = r.state_since, evidence = r.evidence, card_key = coalesce(r.card_key, c.card_key),
      product = r.product, driver_version = r.driver_version, firmware_version = r.firmware_version,
      simulated = r.simulated, search = coalesce(r.search, c.search),
      quarantined_at = coalesce(c.quarantined_at, r.quarantined_at),
      quarantine_reason = coalesce(c.quarantine_reason, r.quarantine_reason),
      quarantined_by = coalesce(c.quarantined_by, case when r.quarantined_at is null then null else 'fleet' end),
      last_seen_at = r.last_seen_at,
      -- Whatever was said of it: a chip that is reported is there.
      retired_at = case when r.facts is null then c.retired_at end,
      retired_reason = case when r.facts is null then c.retired_reason end,
      retired_by = case when r.facts is null then c.retired_by end
    from jsonb_to_recordset(${JSON.stringify(writes.map(recordOf))}::jsonb) as ${RECORD}
    where c.id = any(${writes.map(({ verdict }) => verdict.chipId)}) and c.id = r.id`.execute(tx)
}

/**
 * The agent has started and not asked for these chips yet: they stay as they are, and the next word on each is
 * written. Where nobody had looked, the reason is another now.
 */
export async function awaitChips(tx: Tx, chipIds: readonly string[]): Promise<void> {
  if (chipIds.length === 0) return
  await sql`
    update chips set digest = null,
      evidence = case when state = 'unknown' then ${JSON.stringify([NOT_READ_YET])}::jsonb else evidence end
    where id = any(${chipIds})`.execute(tx)
}

/** Largest number of events of one statement: what a whole room going away writes at once stays a few megabytes. */
const EVENTS_AT_ONCE = 2_000

export async function insertEvents(tx: Tx, events: readonly PlannedEvent[], nextId: () => string): Promise<void> {
  for (let from = 0; from < events.length; from += EVENTS_AT_ONCE) {
    const records = events.slice(from, from + EVENTS_AT_ONCE).map((event, index) => ({
      ordinal: index,
      id: nextId(),
      chip_id: event.chipId,
      node_id: event.nodeId,
      at: isoOf(event.atMs),
      kind: event.kind,
      from_value: event.from,
      to_value: event.to,
      evidence: event.evidence,
      by_actor: event.by,
      agent_at_ms: event.agentAtMs,
    }))
    await sql`
      insert into chip_events (id, chip_id, node_id, at, kind, from_value, to_value, evidence, by_actor, agent_at_ms)
      select id, chip_id, node_id, at, kind, from_value, to_value, evidence, by_actor, agent_at_ms
      from jsonb_to_recordset(${JSON.stringify(records)}::jsonb) as r (
        ordinal int, id text, chip_id text, node_id text, at timestamptz, kind text, from_value text, to_value text,
        evidence jsonb, by_actor text, agent_at_ms bigint)
      order by ordinal
      on conflict do nothing`.execute(tx)
  }
}

/** Remembers who else reports a chip, no longer does, or no longer has to fight for it. */
export async function keepClaims(
  tx: Tx,
  nodeId: string,
  change: {
    readonly claimed: readonly string[]
    readonly withdrawn: readonly string[]
    /** Chips that went over to the node. */
    readonly moved: readonly string[]
  },
): Promise<void> {
  if (change.claimed.length > 0)
    await sql`
      insert into chip_claims (node_id, chip_id)
      select ${nodeId}, id from unnest(${change.claimed}::text[]) as t (id) on conflict do nothing`.execute(tx)
  if (change.withdrawn.length > 0)
    await sql`
      delete from chip_claims where node_id = ${nodeId} and chip_id = any(${change.withdrawn})`.execute(tx)
  if (change.moved.length > 0) await sql`delete from chip_claims where chip_id = any(${change.moved})`.execute(tx)
}
