import type { Clock, IdFactory, Scope } from '@medley/kernel'
import type { Store, Transaction } from '@medley/store'
import { sql } from 'kysely'
import { fromRow, type UsageEvent } from './adapters/rows.ts'
import type { SupplyTables } from './adapters/tables.ts'
import { exactNumber } from './domain/admit.ts'
import { decodeCursor, encodeCursor } from './domain/cursor.ts'
import { errors } from './errors.ts'
import { type IngestOutcome, ingest, type SimulatedChips } from './ingest.ts'

export interface UsageQuery {
  readonly cursor?: string | null | undefined
  /** Most events of a page, 1 to 500; 100 when left out. */
  readonly limit?: number | undefined
  readonly model?: string | null | undefined
  readonly keyId?: string | null | undefined
  readonly outcome?: UsageEvent['outcome'] | null | undefined
  /** The event of one request, with its corrections. */
  readonly requestId?: string | null | undefined
  /** By the end of the request; `from` is inclusive, `to` is not. */
  readonly from?: Date | null | undefined
  readonly to?: Date | null | undefined
}

export interface UsagePage {
  readonly items: readonly UsageEvent[]
  readonly nextCursor: string | null
}

export interface SummaryQuery {
  readonly from: Date
  readonly to: Date
  /** `day` is the day in UTC, `2026-11-23`. */
  readonly groupBy: 'model' | 'key' | 'day' | 'outcome'
}

export interface UsageSum {
  /** Null for requests that named no model. */
  readonly group: string | null
  readonly requests: number
  /** Requests that ran and whose tokens are not known, such as of a worker that was killed; they are in no sum. */
  readonly unknownRequests: number
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly completionTokens: number
}

export interface Supply {
  /**
   * Stores a batch of usage records, each request once whatever is sent again. When it resolves, every record is on
   * disk: as usage, or with the reason in quarantine. A batch may be repeated after any failure.
   */
  ingest(records: readonly unknown[]): Promise<IngestOutcome>
  /** Newest first. @throws {AppError} `supply.cursor.invalid`. */
  list(scope: Scope, query?: UsageQuery): Promise<UsagePage>
  /** Exact sums over the events of the period, ordered by group. */
  summary(scope: Scope, query: SummaryQuery): Promise<readonly UsageSum[]>
  /** The event of a request, by which an answer is traced to model, chip and data. */
  record(scope: Scope, requestId: string): Promise<UsageEvent | null>
}

export interface SupplyPorts {
  readonly store: Store
  readonly ids: IdFactory
  readonly clock: Clock
  /** Asked once per batch; left out, all chips are taken for real ones. */
  readonly simulatedChips?: SimulatedChips
}

export function createSupply({ store, ids, clock, simulatedChips = async () => new Set() }: SupplyPorts): Supply {
  const database = store.tables<SupplyTables>()
  return {
    ingest: (records) => ingest(database, { ids, clock, simulatedChips }, records),
    list: (scope, query = {}) => database.run(scope, (tx) => listPage(tx, scope, query)),
    summary: (scope, query) => database.run(scope, (tx) => sums(tx, scope, query)),
    record: (scope, requestId) =>
      database.run(scope, async (tx) => {
        const row = await visible(tx, scope)
          .selectAll()
          .where('request_id', '=', requestId)
          .where('correction_of', 'is', null)
          .executeTakeFirst()
        return row ? fromRow(row) : null
      }),
  }
}

/** Row-level security keeps tenants apart; a scope of one project sees that project only. */
function visible(tx: Transaction<SupplyTables>, scope: Scope) {
  const projectId = scope.kind === 'tenant' ? scope.projectId : null
  const tenantId = scope.kind === 'tenant' ? scope.tenantId : null
  return (
    tx
      .selectFrom('usage_events')
      // Says to the planner what the policy says to the executor: without it the index on the tenant is not used.
      .$if(tenantId !== null, (query) => query.where('tenant_id', '=', tenantId ?? ''))
      .$if(projectId !== null, (query) => query.where('project_id', '=', projectId ?? ''))
  )
}

async function listPage(tx: Transaction<SupplyTables>, scope: Scope, query: UsageQuery): Promise<UsagePage> {
  const limit = Math.min(Math.max(Math.trunc(query.limit ?? 100), 1), 500)
  const after = query.cursor ? decodeCursor(query.cursor) : null
  if (query.cursor && !after) throw errors['cursor.invalid']()
  let select = visible(tx, scope).selectAll()
  if (query.model) select = select.where('model', '=', query.model)
  if (query.keyId) select = select.where('key_id', '=', query.keyId)
  if (query.requestId) select = select.where('request_id', '=', query.requestId)
  if (query.outcome) select = select.where('outcome', '=', query.outcome)
  if (query.from) select = select.where('occurred_at', '>=', query.from)
  if (query.to) select = select.where('occurred_at', '<', query.to)
  if (after) {
    const place = sql`(${new Date(after.occurredAtMs)}::timestamptz, ${after.id})`
    select = select.where(sql<boolean>`(occurred_at, id) < ${place}`)
  }
  // One more than asked for tells whether there is a further page.
  const rows = await select
    .orderBy('occurred_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  const items = rows.slice(0, limit).map(fromRow)
  const last = rows.length > limit ? items.at(-1) : undefined
  const nextCursor = last ? encodeCursor({ occurredAtMs: last.occurredAt.getTime(), id: last.id }) : null
  return { items, nextCursor }
}

const GROUPS = {
  model: sql<string | null>`model`,
  key: sql<string | null>`key_id`,
  day: sql<string | null>`to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD')`,
  outcome: sql<string | null>`outcome`,
}

async function sums(tx: Transaction<SupplyTables>, scope: Scope, query: SummaryQuery): Promise<readonly UsageSum[]> {
  const group = GROUPS[query.groupBy]
  const rows = await visible(tx, scope)
    .where('occurred_at', '>=', query.from)
    .where('occurred_at', '<', query.to)
    .select([
      group.as('group'),
      // Corrections change quantities, not the number of requests.
      sql<string>`count(*) filter (where correction_of is null)`.as('requests'),
      // A refused request never ran: that it has no counts is known, and nothing is missing from the sums.
      sql<string>`count(*) filter (where correction_of is null and outcome <> 'refused'
        and (prompt_tokens is null or completion_tokens is null))`.as('unknown'),
      sql<string>`coalesce(sum(prompt_tokens), 0)`.as('prompt'),
      sql<string>`coalesce(sum(cached_tokens), 0)`.as('cached'),
      sql<string>`coalesce(sum(completion_tokens), 0)`.as('completion'),
    ])
    .groupBy(group)
    .orderBy(group)
    .execute()
  return rows.map((row) => ({
    group: row.group,
    requests: exactNumber(row.requests),
    unknownRequests: exactNumber(row.unknown),
    promptTokens: exactNumber(row.prompt),
    cachedTokens: exactNumber(row.cached),
    completionTokens: exactNumber(row.completion),
  }))
}
