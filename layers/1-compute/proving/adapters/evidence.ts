import { digestOf, type Json } from '@medley/kernel'
import { z } from 'zod'
import type { ScoringPolicy } from '../domain/policy.ts'
import type { ModelCost } from '../domain/roofline.ts'
import {
  type BestRates,
  type CaseInput,
  type ProbeSamples,
  type Scoring,
  type ScoringInput,
  scoreRun,
} from '../domain/score.ts'
import { provingErrors } from '../errors.ts'
import type { AxisScore } from '../ports.ts'
import { type ProvingResult, type ProvingSpec, provingResult, provingSpec } from '../protocol.ts'

/** What proving reads of an engine's facts; the engine may say more. */
const costFacts = z.object({
  modelParameters: z.number().positive().nullable(),
  modelBytes: z.number().positive(),
  kvBytesPerToken: z.number().nonnegative().nullable(),
  goldenAnswer: z.string().nullable(),
  /** Engines that know these make the attention term exact. */
  layerCount: z.number().positive().nullish(),
  attentionWidth: z.number().positive().nullish(),
})

const goldenSpec = z.object({ golden: z.object({ mustContain: z.string() }).nullish() })

/** Everything that entered a score: enough to compute it again without anything else. */
interface Measurement {
  readonly spec: ProvingSpec
  readonly result: ProvingResult
  readonly policy: ScoringPolicy
  /** Best rates on record before this run. */
  readonly best: BestRates
}

/** Form of the signed evidence. Readers must refuse versions they do not know. */
const EVIDENCE_VERSION = 'medley.proving/1'

export function scoreMeasurement(measurement: Measurement): Scoring {
  return scoreRun(scoringInput(measurement))
}

/** @throws `proving.run.mismatch` when the result was not measured by this plan. */
function scoringInput({ spec, result, policy, best }: Measurement): ScoringInput {
  const facts = costFacts.safeParse(result.engine)
  if (!facts.success) throw mismatch(spec, `engine facts: ${z.prettifyError(facts.error)}`)
  return {
    policy,
    seed: seedOf(spec, result),
    threads: spec.threads,
    probe: probeSamples(result),
    best,
    cost: costOf(facts.data),
    cases: casesOf(spec, result),
    noise: result.noise,
    goldenPassed: goldenPassed(spec, facts.data.goldenAnswer),
  }
}

/** @throws `proving.run.mismatch` when an agent hands back something else than a result. */
export function parseResult(spec: ProvingSpec, input: unknown): ProvingResult {
  const parsed = provingResult.safeParse(input)
  if (!parsed.success) throw mismatch(spec, z.prettifyError(parsed.error))
  return parsed.data
}

export function probeSamples({ probe }: ProvingResult): ProbeSamples {
  return {
    threads: probe.threads,
    gemmFp32: probe.gemmFp32.flopsPerSecond,
    gemmInt8: probe.gemmInt8.opsPerSecond,
    bandwidthRead: probe.bandwidthRead.bytesPerSecond,
    bandwidthTriad: probe.bandwidthTriad.bytesPerSecond,
  }
}

/** JSON of the evidence, without what `undefined` members would add. */
export function evidenceOf(recordId: string, createdAt: Date, measurement: Measurement, scoring: Scoring): Json {
  const evidence = { version: EVIDENCE_VERSION, recordId, createdAt: createdAt.toISOString(), ...measurement, scoring }
  return JSON.parse(JSON.stringify(evidence)) as Json
}

const storedEvidence = z.object({
  version: z.literal(EVIDENCE_VERSION),
  spec: provingSpec,
  result: provingResult,
  policy: z.custom<ScoringPolicy>((value) => typeof value === 'object' && value !== null),
  best: z.object({
    gemmFp32: z.number().nullable(),
    gemmInt8: z.number().nullable(),
    bandwidth: z.number().nullable(),
  }),
  scoring: z.object({
    events: z.array(
      z.object({
        event: z.string(),
        state: z.enum(['partial', 'noisy', 'void']),
        score: z.number().nullable(),
        low: z.number().nullable(),
        high: z.number().nullable(),
      }),
    ),
  }),
})

type ScoreLine = Pick<AxisScore, 'state' | 'score' | 'low' | 'high'> & { readonly event: string }

/** Whether the raw samples in the evidence still give the scores in it, and `shown` are those scores. */
export function scoresFollow(evidence: Json, shown: readonly AxisScore[]): boolean {
  const parsed = storedEvidence.safeParse(evidence)
  if (!parsed.success) return false
  const stored = parsed.data.scoring.events
  return sameScores(scoreMeasurement(parsed.data).events, stored) && sameScores(shown, stored)
}

function sameScores(left: readonly ScoreLine[], right: readonly ScoreLine[]): boolean {
  return (
    left.length === right.length &&
    left.every((one) => {
      const other = right.find(({ event }) => event === one.event)
      return (
        one.state === other?.state &&
        near(one.score, other.score) &&
        near(one.low, other.low) &&
        near(one.high, other.high)
      )
    })
  )
}

/** Logarithms and powers may differ in the last bit between machines. */
function near(left: number | null, right: number | null): boolean {
  return left === null || right === null ? left === right : Math.abs(left - right) < 1e-6
}

function costOf(facts: z.infer<typeof costFacts>): ModelCost {
  return {
    parameters: facts.modelParameters,
    weightBytes: facts.modelBytes,
    kvBytesPerToken: facts.kvBytesPerToken,
    layers: facts.layerCount ?? null,
    attentionWidth: facts.attentionWidth ?? null,
  }
}

function casesOf(spec: ProvingSpec, result: ProvingResult): readonly CaseInput[] {
  const planned = new Map(spec.cases.map((item) => [item.id, item]))
  for (const done of result.cases) {
    const plan = planned.get(done.id)
    const same =
      plan?.event === done.event &&
      plan.promptTokens === done.promptTokens &&
      plan.generateTokens === done.generateTokens &&
      done.seconds.length <= plan.repeats &&
      done.seconds.length === done.tokens.length
    if (!same) throw mismatch(spec, `case ${done.id}`)
  }
  return spec.cases.map((item) => {
    const samples = result.cases.find(({ id }) => id === item.id)
    return { ...item, samples: samples === undefined ? null : { tokens: samples.tokens, seconds: samples.seconds } }
  })
}

function goldenPassed(spec: ProvingSpec, answer: string | null): boolean | null {
  const golden = goldenSpec.safeParse(spec.engine).data?.golden ?? null
  if (golden === null || answer === null) return null
  return answer.toLowerCase().includes(golden.mustContain.toLowerCase())
}

function seedOf(spec: ProvingSpec, result: ProvingResult): number {
  const digest = digestOf({ runId: spec.runId, startedAt: result.startedAt, endedAt: result.endedAt })
  return Number.parseInt(digest.slice('sha256:'.length, 'sha256:'.length + 8), 16)
}

function mismatch(spec: ProvingSpec, detail: string) {
  return provingErrors['run.mismatch']({ run: spec.runId }, { detail })
}
