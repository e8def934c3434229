import { type Clock, canonicalJson, digestOf, type IdFactory, systemScope } from '@medley/kernel'
import type { NewEvent, Store, Transaction } from '@medley/store'
import { evidenceOf, parseResult, probeSamples, scoreMeasurement, scoresFollow } from './adapters/evidence.ts'
import { bestRates, findRecord, insertScores, latestScores, raiseRates, recordsOf } from './adapters/rows.ts'
import type { ProvingTables } from './adapters/tables.ts'
import { QUICK_POLICY } from './domain/policy.ts'
import { bestOfProbe } from './domain/score.ts'
import { provingErrors } from './errors.ts'
import { type PlanOptions, planQuickRun } from './plan.ts'
import type { AxisScore, ProvingRecord, Verdict } from './ports.ts'
import { type ProvingSpec, provingSpec } from './protocol.ts'

export interface ProvingPorts {
  readonly store: Store
  readonly clock: Clock
  readonly ids: IdFactory
  /** Ed25519 with the instance's key; `signature` is base64url. */
  readonly sign: (bytes: Uint8Array) => { readonly keyId: string; readonly signature: string }
  readonly verifySignature: (bytes: Uint8Array, signature: { keyId: string; signature: string }) => boolean
  /** Appends to the outbox in the transaction of the change; `appendEvent` of the store. */
  readonly publish: (tx: Transaction<ProvingTables>, event: NewEvent) => Promise<unknown>
}

export interface Proving {
  /** Plan of a quick run. The engine is told to use the threads of the probe. */
  planQuickRun(
    chip: { uuid: string; computeUnits: number | null },
    engine: ProvingSpec['engine'],
    options?: PlanOptions,
  ): ProvingSpec
  /**
   * Scores, signs and stores what an agent measured; the same run twice gives the first record.
   *
   * @param spec The plan as it was stored, a `provingSpec`; both are parsed here.
   * @param result What the agent sent, a `provingResult`.
   * @throws `proving.run.mismatch` when it was not measured by `spec`.
   */
  acceptResult(spec: unknown, result: unknown): Promise<ProvingRecord>
  /** Newest first. @throws `proving.cursor.invalid` */
  listRecords(page: RecordPage): Promise<{ items: readonly ProvingRecord[]; nextCursor: string | null }>
  /** @throws `proving.record.unknown` */
  record(id: string): Promise<ProvingRecord>
  /** The newest score of each event of these chips. */
  scores(chipUuids: readonly string[]): Promise<readonly AxisScore[]>
  verify(record: ProvingRecord): Verdict
}

export interface RecordPage {
  readonly chipUuid: string | null
  /** `nextCursor` of the page before. */
  readonly cursor: string | null
  readonly limit: number
}

const PROVING = systemScope('proving')
const SIGNATURE_ALGORITHM = 'Ed25519'

export function createProving({ store, clock, ids, sign, verifySignature, publish }: ProvingPorts): Proving {
  const database = store.tables<ProvingTables>()

  async function insert(tx: Transaction<ProvingTables>, spec: ProvingSpec, input: unknown): Promise<void> {
    const result = parseResult(spec, input)
    const createdAt = new Date(clock.now())
    const id = ids.next('record')
    const best = await bestRates(tx, spec.chipUuid, result.probe.threads)
    const measurement = { spec, result, policy: QUICK_POLICY, best }
    const scoring = scoreMeasurement(measurement)
    const evidence = evidenceOf(id, createdAt, measurement, scoring)
    const text = canonicalJson(evidence)
    const { keyId, signature } = sign(new TextEncoder().encode(text))
    const digest = digestOf(evidence)
    const inserted = await tx
      .insertInto('proving_records')
      .values({
        id,
        run_id: spec.runId,
        tenant_id: null,
        suite: spec.suite,
        chip_uuid: spec.chipUuid,
        evidence: text,
        digest,
        signature_key_id: keyId,
        signature_algorithm: SIGNATURE_ALGORITHM,
        signature,
        created_at: createdAt,
      })
      .onConflict((conflict) => conflict.column('run_id').doNothing())
      .returning('id')
      .executeTakeFirst()
    // Another report of the same run was faster; its record stands.
    if (inserted === undefined) return
    await insertScores(tx, { recordId: id, chipUuid: spec.chipUuid, createdAt }, scoring.events)
    const peaks = bestOfProbe(probeSamples(result))
    await raiseRates(tx, { recordId: id, chipUuid: spec.chipUuid, createdAt }, result.probe.threads, peaks)
    await publish(tx, {
      type: 'proving.record.created',
      version: 1,
      tenantId: null,
      actor: PROVING.actor,
      subject: id,
      causationId: spec.runId,
      correlationId: null,
      occurredAt: createdAt,
      payload: {
        recordId: id,
        runId: spec.runId,
        chipUuid: spec.chipUuid,
        suite: spec.suite,
        digest,
        scores: scoring.events.map(({ event, state, score }) => ({ event, state, score })),
      },
    })
  }

  return {
    planQuickRun: (chip, engine, options = {}) => planQuickRun(chip, engine, { runId: ids.next('run'), ...options }),

    async acceptResult(plan, result) {
      const spec = provingSpec.parse(plan)
      return await database.run(PROVING, async (tx) => {
        const known = await findRecord(tx, 'run_id', spec.runId)
        if (known !== undefined) return known
        await insert(tx, spec, result)
        const stored = await findRecord(tx, 'run_id', spec.runId)
        if (stored === undefined) throw new Error(`record of run ${spec.runId} vanished`)
        return stored
      })
    },

    listRecords: ({ chipUuid, cursor, limit }) =>
      database.run(PROVING, async (tx) => {
        if (cursor !== null && !cursor.startsWith('record_')) throw provingErrors['cursor.invalid']()
        const rows = await tx
          .selectFrom('proving_records')
          .selectAll()
          .$if(chipUuid !== null, (query) => query.where('chip_uuid', '=', chipUuid))
          .$if(cursor !== null, (query) => query.where('id', '<', cursor))
          // Ids sort by time.
          .orderBy('id', 'desc')
          .limit(limit + 1)
          .execute()
        const shown = rows.slice(0, limit)
        const items = await recordsOf(tx, shown)
        return { items, nextCursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null }
      }),

    record: (id) =>
      database.run(PROVING, async (tx) => {
        const found = await findRecord(tx, 'id', id)
        if (found === undefined) throw provingErrors['record.unknown']({ record: id })
        return found
      }),

    async scores(chipUuids) {
      if (chipUuids.length === 0) return []
      return await database.run(PROVING, (tx) => latestScores(tx, chipUuids))
    },

    verify({ digest, evidence, signature, scores }) {
      const bytes = new TextEncoder().encode(canonicalJson(evidence))
      return {
        digest: digestOf(evidence) === digest,
        signature:
          signature.algorithm === SIGNATURE_ALGORITHM &&
          verifySignature(bytes, { keyId: signature.keyId, signature: signature.value }),
        scores: scoresFollow(evidence, scores),
      }
    },
  }
}
