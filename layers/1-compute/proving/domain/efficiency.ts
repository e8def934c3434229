import type { ScoringPolicy } from './policy.ts'

/** Efficiency points `100 * ln(1 + k * min(eta, 1)) / ln(1 + k)`: 0 at 0, 100 at the roof, near-logarithmic. */
export function efficiencyPoints(eta: number, k: number): number {
  return (100 * Math.log1p(k * Math.min(Math.max(eta, 0), 1))) / Math.log1p(k)
}

interface Factors {
  /** Efficiency points, 0 to 100. */
  readonly efficiency: number
  /** Share of requests within the service level, 0 to 100. */
  readonly quality: number
  /** Success rate x (1 - coefficient of variation), 0 to 1. */
  readonly stability: number
  /** 1 when the golden check passed, else 0. */
  readonly accuracy: 0 | 1
}

/** Weighted geometric mean of the factors, 0 to 100: a zero anywhere is a zero. */
export function caseScore(factors: Factors, exponents: ScoringPolicy['exponents']): number {
  const score =
    factors.efficiency ** exponents.efficiency *
    factors.quality ** exponents.quality *
    (100 * factors.stability) ** exponents.stability *
    factors.accuracy
  return Math.min(100, Math.max(0, score))
}

export function stability(successRate: number, variation: number | null): number {
  return successRate * (1 - Math.min(1, variation ?? 0))
}
