import { type Clock, type Scope, systemScope } from '@medley/kernel'
import type { Store } from '@medley/store'
import { sql } from 'kysely'
import type { CapacityTables } from './adapters/capacity-tables.ts'
import type { SupplyTables } from './adapters/tables.ts'
import { exactNumber } from './domain/admit.ts'
import type { CapacitySnapshot } from './domain/capacity.ts'
import type { ChipUsage, Sheet } from './domain/capacity-input.ts'
import { errors } from './errors.ts'

/** What the operator says in place of our sheet, and who said it. */
export interface GivenSheet {
  readonly vendor: string
  readonly sheet: Sheet
  readonly by: string
  readonly at: Date
}

export interface CapacityPoint extends Omit<CapacitySnapshot, 'dtype'> {
  readonly at: Date
}

export interface CapacityStore {
  /** Replaces an earlier one of the same product. @throws AppError `supply.sheet.invalid` */
  putSheet(scope: Scope, vendor: string, sheet: Sheet): Promise<GivenSheet>
  /** Ours counts again. @throws AppError `supply.sheet.unknown` */
  deleteSheet(vendor: string, product: string): Promise<void>
  sheets(): Promise<readonly GivenSheet[]>
  /** Keeps one point per hour and dtype, the newest, for two years. */
  record(now: Date, snapshots: readonly CapacitySnapshot[]): Promise<void>
  /** Oldest first; `from` is inclusive, `to` is not. */
  history(from: Date, to: Date, dtype: string): Promise<readonly CapacityPoint[]>
  /**
   * What each chip did in requests that ended in the period: how long it was busy (requests at the same time count once) and its
   * tokens, shared among the chips of a request.
   */
  usageByChip(from: Date, to: Date): Promise<readonly ChipUsage[]>
}

const HOUR_MS = 3_600_000
/** Two years. */
const KEPT_MS = 2 * 366 * 24 * HOUR_MS
const SCOPE = systemScope('supply')

export function createCapacityStore({ store, clock }: { readonly store: Store; readonly clock: Clock }): CapacityStore {
  const database = store.tables<CapacityTables & SupplyTables>()
  return {
    async putSheet(scope, vendor, sheet) {
      const faults = faultsOf(sheet)
      if (faults.length > 0) throw errors['sheet.invalid']({ product: sheet.product }, { errors: faults })
      const given = { vendor, sheet, by: scope.actor.id, at: new Date(clock.now()) }
      const said = { sheet: JSON.stringify(sheet), source: sheet.source, given_by: given.by, given_at: given.at }
      await database.run(SCOPE, (tx) =>
        tx
          .insertInto('sheet_overrides')
          .values({ vendor, product: sheet.product, tenant_id: null, ...said })
          .onConflict((conflict) => conflict.columns(['vendor', 'product']).doUpdateSet(said))
          .execute(),
      )
      return given
    },
    async deleteSheet(vendor, product) {
      const deleted = await database.run(SCOPE, (tx) =>
        tx.deleteFrom('sheet_overrides').where('vendor', '=', vendor).where('product', '=', product).executeTakeFirst(),
      )
      if (deleted.numDeletedRows === 0n) throw errors['sheet.unknown']({ vendor, product })
    },
    sheets: () =>
      database.run(SCOPE, async (tx) => {
        const rows = await tx.selectFrom('sheet_overrides').selectAll().orderBy('vendor').orderBy('product').execute()
        return rows.map(({ vendor, sheet, given_by, given_at }) => ({ vendor, sheet, by: given_by, at: given_at }))
      }),
    async record(now, snapshots) {
      const at = new Date(Math.floor(now.getTime() / HOUR_MS) * HOUR_MS)
      await database.run(SCOPE, async (tx) => {
        for (const snapshot of snapshots) {
          const { dtype, ...figures } = snapshot
          await tx
            .insertInto('capacity_points')
            .values({ at, dtype, tenant_id: null, ...figures })
            .onConflict((conflict) => conflict.columns(['dtype', 'at']).doUpdateSet(figures))
            .execute()
        }
        const oldest = new Date(now.getTime() - KEPT_MS)
        await tx.deleteFrom('capacity_points').where('at', '<', oldest).execute()
      })
    },
    history: (from, to, dtype) =>
      database.run(SCOPE, (tx) =>
        tx
          .selectFrom('capacity_points')
          .select(['at', 'nominal', 'effective', 'usable', 'chips'])
          .where('dtype', '=', dtype)
          .where('at', '>=', from)
          .where('at', '<', to)
          .orderBy('at')
          .execute(),
      ),
    usageByChip: (from, to) =>
      database.run(SCOPE, async (tx) => {
        // Requests that ran at the same time make one stretch of time in which the chip was busy.
        const { rows } = await sql<{ chip: string; busy: string; tokens: string }>`
          with used as (
            select unnest(chip_uuids) as chip, cardinality(chip_uuids) as chips,
              tstzrange(least(greatest(started_at, ${from}), occurred_at), occurred_at) as span,
              coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0) as tokens
            from usage_events where occurred_at >= ${from} and occurred_at < ${to}
          ), summed as (
            select chip, range_agg(span) as spans, round(sum(tokens::numeric / chips)) as tokens from used group by chip
          )
          select chip, tokens::text as tokens, (
            select coalesce(sum(extract(epoch from upper(span) - lower(span))), 0)::text from unnest(spans) as span
          ) as busy
          from summed order by chip`.execute(tx)
        return rows.map(({ chip, busy, tokens }) => {
          return { chipUuid: chip, busySeconds: Number(busy), tokens: exactNumber(tokens) }
        })
      }),
  }
}

function faultsOf({ product, peaks, bandwidthBytesPerSecond, source }: Sheet): { path: string; message: string }[] {
  const faults: { path: string; message: string }[] = []
  if (product.trim() === '') faults.push({ path: 'product', message: 'at least one character' })
  if (source.trim() === '') faults.push({ path: 'source', message: 'say where the figures come from' })
  const positive = (value: number) => Number.isFinite(value) && value > 0
  const seen = new Set<string>()
  for (const [index, { dtype, teraops, sparse }] of peaks.entries()) {
    if (!positive(teraops)) faults.push({ path: `peaks.${index}.teraops`, message: 'more than 0' })
    if (seen.has(`${dtype} ${sparse}`)) faults.push({ path: `peaks.${index}.dtype`, message: 'given twice' })
    seen.add(`${dtype} ${sparse}`)
  }
  if (bandwidthBytesPerSecond !== null && !positive(bandwidthBytesPerSecond)) {
    faults.push({ path: 'bandwidthBytesPerSecond', message: 'more than 0, or null where it is not known' })
  }
  return faults
}
