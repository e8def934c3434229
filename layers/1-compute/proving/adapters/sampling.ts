export interface SamplePlan {
  readonly samples: number
  /** Each sample repeats its pass for at least this long and keeps the best pass. */
  readonly sampleMs: number
  readonly warmupPasses: number
}

/**
 * Seconds of the best pass of each sample. The best pass, not the mean: a peak that is too low would inflate every
 * score that is divided by it, and anything that disturbs a pass can only make it slower.
 */
export async function bestPasses(plan: SamplePlan, pass: () => Promise<number> | number): Promise<number[]> {
  for (let index = 0; index < plan.warmupPasses; index += 1) await pass()
  const best: number[] = []
  for (let sample = 0; sample < plan.samples; sample += 1) {
    const until = performance.now() + plan.sampleMs
    let fastest = Number.POSITIVE_INFINITY
    do {
      fastest = Math.min(fastest, await pass())
    } while (performance.now() < until)
    best.push(fastest)
  }
  return best
}
