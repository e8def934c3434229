import type { Clock, Id, IdFactory, Json } from '@medley/kernel'
import { systemScope } from '@medley/kernel'
import { appendEvent, type ScopedDatabase, type Transaction } from '@medley/store'
import { sql } from 'kysely'
import type { QuotaTables } from './adapters/tables.ts'
import { addUp, chainOf, digestOfRequest, faultOfRequest } from './domain/request.ts'
import type { QuotaWindow } from './domain/terms.ts'
import { errors } from './errors.ts'
import type { QuotaWarning, Reservation, ReserveOutcome, ReserveRequest } from './ports.ts'
import type { Windows } from './windows.ts'

/** The module's own work: it counts for people who may not look at the counters themselves. */
export const SYSTEM = systemScope('quotas')

export interface Parts {
  readonly database: ScopedDatabase<QuotaTables>
  readonly clock: Clock
  readonly ids: IdFactory
  readonly windows: Windows
}

/** A request as the function in the database reads it. */
export interface Ask {
  readonly id: Id<'reservation'>
  readonly tenant_id: string
  readonly request_id: string
  readonly digest: string
  readonly expires_at: Date
  readonly chain: Readonly<Record<string, string>>
  readonly wants: readonly { resource: string; kind: string | null; amount: string }[]
}

interface Answer {
  readonly n: number
  readonly verdict: 'reserved' | 'refused' | 'differs'
  readonly id: Id<'reservation'>
  readonly state: Reservation['state']
  readonly expiresAt: string
  readonly warnings: readonly QuotaWarning[]
  readonly quotaId: string
  readonly asked: string
  readonly limit: string
  readonly used: string
  readonly reserved: string
  readonly windowEnd: string | null
  /** Reservations of the tenant have expired, so that freeing them may make room. */
  readonly expired: boolean
}

interface Told {
  readonly quotaId: string
  readonly reached: QuotaWarning['reached']
  readonly taken: string
  readonly windowStart: string | null
  readonly windowEnd: string | null
}

type Reply =
  | { readonly zones: readonly string[] }
  | { readonly zones?: undefined; readonly outcomes: readonly Answer[]; readonly told: readonly Told[] }

/** @throws AppError `quotas.request.invalid` */
export function toAsk({ clock, ids }: Parts, request: ReserveRequest): Ask {
  const chain = chainOf(request.tenantId, request.chain)
  const fault = chain === null ? 'chain' : faultOfRequest(request)
  if (chain === null || fault !== null) throw errors['request.invalid']({ field: fault }, { detail: `${fault}` })
  const wants = addUp(request.wants)
  return {
    id: ids.next('reservation'),
    tenant_id: request.tenantId,
    request_id: request.requestId,
    digest: digestOfRequest(chain, wants),
    expires_at: new Date(clock.now() + request.ttlMs),
    chain,
    wants: wants.map((want) => ({ ...want, amount: want.amount.toString() })),
  }
}

/** How often expired reservations are freed for a request that would be refused. */
const MOST_TRIES = 3

/** @param freeExpired frees expired reservations of tenants */
export async function reserveBatch(
  parts: Parts,
  freeExpired: (tenantIds: readonly string[]) => Promise<unknown>,
  asks: readonly Ask[],
): Promise<readonly ReserveOutcome[]> {
  const answers = new Map<Ask, Answer>()
  let open = asks
  for (let tries = 1; ; tries += 1) {
    for (const [ask, answer] of await decide(parts, open)) answers.set(ask, answer)
    open = open.filter((ask) => answers.get(ask)?.expired === true)
    if (open.length === 0 || tries === MOST_TRIES) break
    await freeExpired([...new Set(open.map((ask) => ask.tenant_id))])
  }
  const short = [...answers.values()].filter((answer) => answer.verdict === 'refused').map((each) => each.quotaId)
  const quotas = await subjects(parts, short)
  return asks.map((ask) => toOutcome(answers.get(ask), quotas))
}

/** One transaction; another one when a quota's time zone was not known yet. */
async function decide(parts: Parts, asks: readonly Ask[]): Promise<readonly (readonly [Ask, Answer])[]> {
  const nowMs = parts.clock.now()
  const requests = JSON.stringify(asks.map((ask, n) => ({ n, ...ask })))
  while (true) {
    const windows = JSON.stringify(parts.windows.all(nowMs))
    const reply = await parts.database.run(SYSTEM, async (tx) => {
      const { rows } = await sql<{ reply: Reply }>`
        select medley_quotas_reserve(${new Date(nowMs)}, ${requests}::jsonb, ${windows}::jsonb) as reply`.execute(tx)
      const reply = rows[0]?.reply
      if (reply === undefined) throw new TypeError('no reply to a reservation')
      if (reply.zones === undefined) await tell(tx, parts, reply.told)
      return reply
    })
    if (reply.zones !== undefined) {
      parts.windows.learn(reply.zones)
      continue
    }
    return reply.outcomes.map((answer) => {
      const ask = asks[answer.n]
      if (ask === undefined) throw new TypeError('an answer to nothing asked')
      return [ask, answer] as const
    })
  }
}

interface Subject {
  readonly level: string
  readonly subjectId: string
  readonly resource: string
  readonly window: QuotaWindow
  readonly tenantId: string
}

async function subjects({ database }: Parts, ids: readonly string[]): Promise<ReadonlyMap<string, Subject>> {
  if (ids.length === 0) return new Map()
  const rows = await database.run(SYSTEM, (tx) => quotaRows(tx, ids))
  return new Map(rows.map(({ id, ...subject }) => [id, subject]))
}

function quotaRows(tx: Transaction<QuotaTables>, ids: readonly string[]) {
  return tx
    .selectFrom('quotas')
    .select(['id', 'level', 'subject_id as subjectId', 'resource', 'period as window', 'tenant_id as tenantId'])
    .where('id', 'in', [...new Set(ids)])
    .execute()
}

function toOutcome(answer: Answer | undefined, quotas: ReadonlyMap<string, Subject>): ReserveOutcome {
  if (answer === undefined) throw new TypeError('a request was not answered')
  if (answer.verdict === 'differs') return { kind: 'refused', error: errors['request.differs']() }
  if (answer.verdict === 'reserved') {
    const { id, state, expiresAt, warnings } = answer
    return { kind: 'reserved', reservation: { id, state, expiresAt: new Date(expiresAt), warnings } }
  }
  const { quotaId, asked, limit, used, reserved } = answer
  const { level = '', subjectId = '', resource = '', window = '' } = quotas.get(quotaId) ?? {}
  const windowEnd = answer.windowEnd === null ? null : new Date(answer.windowEnd).toISOString()
  // What is held has no time at which it begins anew: it comes back when somebody gives it back.
  const renewal = windowEnd ?? '-'
  const params = { quotaId, level, subjectId, resource, window, asked, limit, used, reserved, windowEnd, renewal }
  return { kind: 'refused', error: errors.exceeded(params) }
}

/** Once per window and threshold: the counter remembers, in the same transaction. */
async function tell(tx: Transaction<QuotaTables>, parts: Parts, told: readonly Told[]): Promise<void> {
  if (told.length === 0) return
  const rows = await quotaRows(
    tx,
    told.map((each) => each.quotaId),
  )
  const quotas = new Map(rows.map((row) => [row.id, row]))
  for (const { quotaId, ...rest } of told) {
    const quota = quotas.get(quotaId)
    if (quota === undefined) continue
    const { level, subjectId, resource, window, tenantId } = quota
    const payload: Json = { quotaId, level, subjectId, resource, window, ...rest }
    await appendEvent(tx, parts, {
      type: 'quotas.threshold.reached',
      version: 1,
      // Tenants are named by whoever reserves; the column holds what the quota says.
      tenantId: tenantId as Id<'tenant'>,
      actor: SYSTEM.actor,
      subject: quotaId,
      causationId: null,
      correlationId: null,
      occurredAt: new Date(parts.clock.now()),
      payload,
    })
  }
}
