import { caseScore, efficiencyPoints, stability } from './efficiency.ts'
import { type NoiseReading, noiseReasons, type Reason, reason } from './noise.ts'
import type { ScoringPolicy } from './policy.ts'
import {
  type Attainable,
  decodeAttainable,
  type ModelCost,
  type PeakName,
  type Peaks,
  prefillAttainable,
} from './roofline.ts'
import { bootstrapInterval, mean, type Random, resample, seededRandom, variation } from './statistics.ts'

export type EventName = 'prefill' | 'decode'

export interface ProbeSamples {
  readonly threads: number
  readonly gemmFp32: readonly number[]
  readonly gemmInt8: readonly number[]
  readonly bandwidthRead: readonly number[]
  readonly bandwidthTriad: readonly number[]
}

/** Best rates ever recorded on this chip with this many threads; null where there is none yet. */
export type BestRates = { readonly [Name in PeakName]: number | null }

export interface CaseInput {
  readonly id: string
  readonly event: EventName
  readonly promptTokens: number
  readonly generateTokens: number
  /** Repeats asked for; one that is not in `seconds` failed. */
  readonly repeats: number
  /** Tokens and seconds of each repeat that succeeded; null when the case did not run. */
  readonly samples: { readonly tokens: readonly number[]; readonly seconds: readonly number[] } | null
}

export interface ScoringInput {
  readonly policy: ScoringPolicy
  readonly seed: number
  readonly threads: number
  readonly probe: ProbeSamples
  readonly best: BestRates
  readonly cost: ModelCost
  readonly cases: readonly CaseInput[]
  readonly noise: NoiseReading
  /** Null when no golden answer was checked. */
  readonly goldenPassed: boolean | null
}

export interface CaseScore {
  readonly id: string
  readonly tokensPerSecond: readonly number[]
  readonly meanTokensPerSecond: number | null
  readonly variation: number | null
  readonly attainable: Attainable | null
  /** Linear efficiency, shown beside the points: the rank order is the same. */
  readonly eta: number | null
  readonly efficiency: number | null
  readonly quality: number
  readonly stability: number
  readonly accuracy: 0 | 1
  readonly score: number
}

export interface EventScore {
  readonly event: EventName
  readonly state: 'partial' | 'noisy' | 'void'
  readonly reasons: readonly Reason[]
  /** 0 to 100; null unless the state is `partial`. */
  readonly score: number | null
  readonly low: number | null
  readonly high: number | null
  readonly cases: readonly CaseScore[]
}

export interface Scoring {
  readonly peaks: Peaks
  readonly events: readonly EventScore[]
  /** The overall fitness needs suites that a quick run does not have. */
  readonly fitness: { readonly value: null; readonly reason: 'full_suites_not_run' }
}

/** Scores of a run, one per event of its cases. Deterministic: the same input, seed included, the same output. */
export function scoreRun(input: ScoringInput): Scoring {
  const peaks = peaksOf(input.probe, input.best)
  const runReasons = noiseReasons(input.noise, input.policy.limits)
  const events = [...new Set(input.cases.map(({ event }) => event))]
  return {
    peaks,
    events: events.map((event, index) => scoreEvent(event, input, peaks, runReasons, input.seed + index)),
    fitness: { value: null, reason: 'full_suites_not_run' },
  }
}

/** The larger of the probe's best sample and the best rate ever recorded: a low peak would inflate the score. */
function peaksOf(probe: ProbeSamples, best: BestRates): Peaks {
  return {
    gemmFp32: Math.max(...probe.gemmFp32, best.gemmFp32 ?? 0),
    gemmInt8: Math.max(...probe.gemmInt8, best.gemmInt8 ?? 0),
    bandwidth: Math.max(...probe.bandwidthRead, ...probe.bandwidthTriad, best.bandwidth ?? 0),
  }
}

/** Best rates of a probe alone, as they enter the chip's history. */
export function bestOfProbe(probe: ProbeSamples): Peaks {
  return peaksOf(probe, { gemmFp32: null, gemmInt8: null, bandwidth: null })
}

function scoreEvent(
  event: EventName,
  input: ScoringInput,
  peaks: Peaks,
  runReasons: readonly Reason[],
  seed: number,
): EventScore {
  const planned = input.cases.filter((item) => item.event === event)
  const cases = planned.map((item) => scoreCase(item, ratesOf(item), peaks, input))
  const voids = voidReasons(cases, input)
  const noises = [...runReasons, ...variationReasons(cases, input.policy)]
  const common = { event, cases }
  if (voids.length > 0) return { ...common, state: 'void', reasons: voids, score: null, low: null, high: null }
  if (noises.length > 0) return { ...common, state: 'noisy', reasons: noises, score: null, low: null, high: null }
  const score = mean(cases.map((item) => item.score))
  const statistic = (random: Random): number => {
    const drawn = peaksOf(resampleProbe(input.probe, random), input.best)
    return mean(planned.map((item) => scoreCase(item, resample(ratesOf(item), random), drawn, input).score))
  }
  const options = { ...input.policy.bootstrap, count: fewestValues(planned, input.probe) }
  const interval = bootstrapInterval(score, statistic, options, seededRandom(seed))
  return { ...common, state: 'partial', reasons: [reason('quick_suite_only')], score, ...interval }
}

function fewestValues(planned: readonly CaseInput[], probe: ProbeSamples): number {
  const { gemmFp32, gemmInt8, bandwidthRead, bandwidthTriad } = probe
  const samples = [gemmFp32, gemmInt8, bandwidthRead, bandwidthTriad, ...planned.map(ratesOf)]
  return Math.min(...samples.map(({ length }) => length))
}

function scoreCase(item: CaseInput, rates: readonly number[], peaks: Peaks, input: ScoringInput): CaseScore {
  const accuracy = input.goldenPassed === true ? 1 : 0
  const attainable =
    item.event === 'prefill'
      ? prefillAttainable(input.cost, peaks, item.promptTokens)
      : decodeAttainable(input.cost, peaks, item.promptTokens + item.generateTokens / 2)
  const measured = rates.length === 0 ? null : mean(rates)
  const eta = measured === null || attainable === null ? null : measured / attainable.tokensPerSecond
  const efficiency = eta === null ? null : efficiencyPoints(eta, input.policy.k)
  const success = Math.min(1, rates.length / item.repeats)
  const factors = {
    efficiency: efficiency ?? 0,
    quality: 100 * success,
    stability: stability(success, variation(rates)),
    accuracy,
  } as const
  return {
    id: item.id,
    tokensPerSecond: rates,
    meanTokensPerSecond: measured,
    variation: variation(rates),
    attainable,
    eta,
    ...factors,
    efficiency,
    score: caseScore(factors, input.policy.exponents),
  }
}

/** Reasons for which a number would be wrong, not only uncertain. A case that did not run is a 0, not a reason. */
function voidReasons(cases: readonly CaseScore[], input: ScoringInput): readonly Reason[] {
  const reasons: Reason[] = []
  if (input.probe.threads !== input.threads) {
    reasons.push(reason('probe_threads_differ', { probe: input.probe.threads, cases: input.threads }))
  }
  if (input.goldenPassed === null) reasons.push(reason('golden_unchecked'))
  for (const item of cases) {
    if (item.attainable === null) reasons.push(reason('model_cost_unknown', { case: item.id }))
    if (item.eta !== null && item.eta > input.policy.maxEfficiency) {
      reasons.push(reason('probe_too_slow', { case: item.id, eta: item.eta, limit: input.policy.maxEfficiency }))
    }
  }
  return reasons
}

function variationReasons(cases: readonly CaseScore[], policy: ScoringPolicy): readonly Reason[] {
  const limit = policy.limits.caseVariation
  return cases.flatMap((item) =>
    item.variation !== null && item.variation > limit
      ? [reason('variation_over_limit', { case: item.id, value: item.variation, limit })]
      : [],
  )
}

function ratesOf(item: CaseInput): readonly number[] {
  const { tokens = [], seconds = [] } = item.samples ?? {}
  return seconds.flatMap((value, index) => (value > 0 ? [(tokens[index] ?? 0) / value] : []))
}

function resampleProbe(probe: ProbeSamples, random: Random): ProbeSamples {
  return {
    threads: probe.threads,
    gemmFp32: resample(probe.gemmFp32, random),
    gemmInt8: resample(probe.gemmInt8, random),
    bandwidthRead: resample(probe.bandwidthRead, random),
    bandwidthTriad: resample(probe.bandwidthTriad, random),
  }
}
