/** Everything about scoring that is a choice and not a measurement. Stored whole in each record. */
export interface ScoringPolicy {
  readonly version: string
  /** Curvature of the efficiency curve. */
  readonly k: number
  readonly exponents: { readonly efficiency: number; readonly quality: number; readonly stability: number }
  /** An efficiency above this says that the peak was measured too low: the record is void. */
  readonly maxEfficiency: number
  /** Of the 95 % intervals. */
  readonly bootstrap: { readonly resamples: number }
  readonly limits: NoiseLimits
  /** In words of the quick suite: what counts as a request that was served well. */
  readonly serviceLevel: string
}

/** Above any of these a run says `noisy` instead of a number. */
export interface NoiseLimits {
  /** Coefficient of variation of a case's rates. */
  readonly caseVariation: number
  /** Share of processor time that the hypervisor took away during the run. */
  readonly stealRatio: number
  /** Share of processor time that other programs took during the run. */
  readonly foreignCpuRatio: number
  /** One-minute load per processor before the run; looked at only where `foreignCpuRatio` is unknown. */
  readonly loadPerCpu: number
}

export const QUICK_POLICY: ScoringPolicy = {
  version: 'quick-1',
  k: 15,
  exponents: { efficiency: 0.5, quality: 0.3, stability: 0.2 },
  maxEfficiency: 1.05,
  bootstrap: { resamples: 2000 },
  limits: { caseVariation: 0.15, stealRatio: 0.05, foreignCpuRatio: 0.25, loadPerCpu: 1.5 },
  serviceLevel: 'every measured request succeeded within the deadline; no latency limit',
}
