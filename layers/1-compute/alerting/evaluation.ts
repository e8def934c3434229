import type { Transaction } from '@medley/store'
import { sql } from 'kysely'
import { z } from 'zod'
import type { AlertingTables } from './adapters/tables.ts'
import { type Context, METRIC_COLUMNS, SCOPE } from './context.ts'
import {
  createEvaluator,
  type Evaluator,
  type Outcome,
  type SavedState,
  type StandingChange,
  type Transition,
} from './domain/evaluator.ts'
import type { Trail } from './domain/trail.ts'
import type { Alerting } from './ports.ts'
import { listRules } from './rules.ts'

type Tx = Transaction<AlertingTables>

/** Rows of one statement: their parameters must stay below the protocol's 65,535. */
const ROWS = 1_000
const MOST_EVIDENCE = 20

/** Reads where every rule stands and goes on from there. */
export async function createEvaluation(context: Context): Promise<Pick<Alerting, 'evaluate'>> {
  const { database, clock } = context
  const evaluator = createEvaluator(METRIC_COLUMNS, await database.run(SCOPE, loadState))
  let last: Promise<unknown> = Promise.resolve()

  const evaluate: Alerting['evaluate'] = async (observation, nowMs = clock.now()) => {
    // First, and whatever fails after it: a caller that names only what changed does not name it again.
    evaluator.observe(observation)
    const rules = await database.run(SCOPE, listRules)
    const outcome = evaluator.evaluate(rules, nowMs)
    const stored = await store(context, evaluator, outcome, nowMs)
    return { fired: stored.fired, resolved: stored.resolved }
  }
  return {
    evaluate(observation, nowMs) {
      const next = last.then(() => evaluate(observation, nowMs))
      last = next.catch(() => undefined)
      return next
    },
  }
}

async function store(context: Context, evaluator: Evaluator, outcome: Outcome, nowMs: number) {
  const { transitions, standings, trails } = outcome
  const quiet = transitions.length + standings.length + trails.length === 0
  const counts = quiet
    ? { fired: 0, resolved: 0 }
    : await context.database.run(SCOPE, async (tx) => {
        const resolved = await closeAlerts(tx, context, transitions, nowMs)
        const fired = await openAlerts(tx, context, transitions, nowMs)
        await saveStandings(tx, standings)
        await saveTrails(tx, trails)
        return { fired, resolved }
      })
  evaluator.commit(outcome)
  return counts
}

/** @returns alerts that were not open already. */
async function openAlerts(tx: Tx, { ids, gatherMs }: Context, transitions: readonly Transition[], nowMs: number) {
  const now = new Date(nowMs)
  const opening = transitions.flatMap(({ event, rule, subject, value, evidence }) => {
    if (event !== 'firing' || rule === null || subject === null) return []
    const what = { rule_id: rule.id, subject_id: subject.id, tenant_id: subject.tenantId, severity: rule.severity }
    const where = { node_id: subject.nodeId, chip_id: subject.chipId, subject: storable(subject.name) }
    const told = { rule_name: JSON.stringify(rule.name), value, evidence: toJson(evidence) }
    const row = { id: ids.next('alert'), ...what, ...where, ...told, simulated: subject.simulated }
    return [{ row: { ...row, state: 'firing' as const, started_at: now }, channelIds: rule.channelIds }]
  })
  if (opening.length === 0) return 0
  const opened: string[] = []
  for (const part of pieces(opening)) {
    const inserted = await tx
      .insertInto('alerts')
      .values(part.map(({ row }) => row))
      .onConflict((conflict) => conflict.columns(['rule_id', 'subject_id']).where('state', '=', 'firing').doNothing())
      .returning('id')
      .execute()
    opened.push(...inserted.map(({ id }) => id))
  }
  const isNew = new Set(opened)
  const enabled = await enabledChannels(tx)
  const wanted = opening.flatMap(({ row, channelIds }) =>
    channelIds.flatMap((channelId) =>
      isNew.has(row.id) && enabled.has(channelId)
        ? [{ alertId: row.id, tenantId: row.tenant_id, channelId, event: 'firing' as const }]
        : [],
    ),
  )
  await queue(tx, ids, wanted, now, new Date(nowMs + gatherMs))
  return opened.length
}

/** Who was told of the beginning is told of the end, whatever the rule says by now. */
async function closeAlerts(tx: Tx, { ids, gatherMs }: Context, transitions: readonly Transition[], nowMs: number) {
  const now = new Date(nowMs)
  const closing = transitions.filter(({ event }) => event === 'resolved')
  if (closing.length === 0) return 0
  const rules = closing.map(({ ruleId }) => ruleId)
  const subjects = closing.map(({ subjectId }) => subjectId)
  const closed = await tx
    .updateTable('alerts')
    .set({ state: 'resolved', resolved_at: now })
    .where('state', '=', 'firing')
    .where(sql<boolean>`(rule_id, subject_id) in (select * from unnest(${rules}::text[], ${subjects}::text[]))`)
    .returning('id')
    .execute()
  const told = await tx
    .selectFrom('alert_deliveries')
    .innerJoin('alert_channels', 'alert_channels.id', 'alert_deliveries.channel_id')
    .select(['alert_id as alertId', 'channel_id as channelId', 'alert_deliveries.tenant_id as tenantId'])
    .where(sql<boolean>`alert_id = any(${closed.map(({ id }) => id)}::text[])`)
    .where('event', '=', 'firing')
    .execute()
  const wanted = told.map((each) => ({ ...each, event: 'resolved' as const }))
  await queue(tx, ids, wanted, now, new Date(nowMs + gatherMs))
  return closed.length
}

interface Wanted {
  readonly alertId: string
  readonly tenantId: string | null
  readonly channelId: string
  readonly event: 'firing' | 'resolved'
}

async function queue(tx: Tx, ids: Context['ids'], wanted: readonly Wanted[], now: Date, dueAt: Date): Promise<void> {
  const rows = wanted.map(({ alertId, tenantId, channelId, event }) => ({
    id: ids.next('delivery'),
    tenant_id: tenantId,
    alert_id: alertId,
    channel_id: channelId,
    event,
    state: 'waiting' as const,
    attempts: 0,
    created_at: now,
    due_at: dueAt,
    at: now,
  }))
  for (const part of pieces(rows)) await tx.insertInto('alert_deliveries').values(part).execute()
}

async function enabledChannels(tx: Tx): Promise<ReadonlySet<string>> {
  const rows = await tx.selectFrom('alert_channels').select('id').where('enabled', '=', true).execute()
  return new Set(rows.map(({ id }) => id))
}

async function saveStandings(tx: Tx, changes: readonly StandingChange[]): Promise<void> {
  const gone = changes.filter(({ standing }) => standing === null)
  if (gone.length > 0) {
    const rules = gone.map(({ ruleId }) => ruleId)
    const subjects = gone.map(({ subjectId }) => subjectId)
    const named = sql`select * from unnest(${rules}::text[], ${subjects}::text[])`
    await tx.deleteFrom('alert_standings').where(sql<boolean>`(rule_id, subject_id) in (${named})`).execute()
  }
  const rows = changes.flatMap(({ ruleId, subjectId, standing }) => {
    if (standing === null) return []
    const unknown = standing.unknownSinceMs === null ? null : new Date(standing.unknownSinceMs)
    const where = { phase: standing.phase, since: new Date(standing.sinceMs), unknown_since: unknown }
    return [{ rule_id: ruleId, subject_id: subjectId, tenant_id: null, ...where }]
  })
  for (const part of pieces(rows)) {
    await tx
      .insertInto('alert_standings')
      .values(part)
      .onConflict((conflict) =>
        conflict.columns(['rule_id', 'subject_id']).doUpdateSet((eb) => ({
          phase: eb.ref('excluded.phase'),
          since: eb.ref('excluded.since'),
          unknown_since: eb.ref('excluded.unknown_since'),
        })),
      )
      .execute()
  }
}

async function saveTrails(tx: Tx, changes: Outcome['trails']): Promise<void> {
  const rows = changes.map(({ chipId, metric, trail }) => {
    return { chip_id: chipId, metric, tenant_id: null, trail: JSON.stringify(trail) }
  })
  for (const part of pieces(rows)) {
    await tx
      .insertInto('alert_trails')
      .values(part)
      .onConflict((conflict) =>
        conflict.columns(['chip_id', 'metric']).doUpdateSet((eb) => ({ trail: eb.ref('excluded.trail') })),
      )
      .execute()
  }
}

const trailShape = z.object({
  last: z.number(),
  lastAtMs: z.number(),
  minutes: z.array(z.tuple([z.number(), z.number()])),
})

async function loadState(tx: Tx): Promise<SavedState> {
  const standings = await tx.selectFrom('alert_standings').selectAll().execute()
  const trails = await tx.selectFrom('alert_trails').selectAll().execute()
  return {
    standings: standings.map((row) => ({
      ruleId: row.rule_id,
      subjectId: row.subject_id,
      standing: {
        phase: row.phase,
        sinceMs: row.since.getTime(),
        unknownSinceMs: row.unknown_since?.getTime() ?? null,
      },
    })),
    trails: trails.map((row) => {
      const trail: Trail = trailShape.parse(row.trail)
      return { chipId: row.chip_id, metric: row.metric, trail }
    }),
  }
}

/** Names come from agents: PostgreSQL stores every character but this one. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '')
}

function toJson(evidence: Transition['evidence']): string {
  const clean = (_key: string, value: unknown) => (typeof value === 'string' ? storable(value) : value)
  return JSON.stringify(evidence.slice(0, MOST_EVIDENCE), clean)
}

function* pieces<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let start = 0; start < items.length; start += ROWS) yield items.slice(start, start + ROWS)
}
