import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { caseScore, efficiencyPoints, stability } from './efficiency.ts'
import { noiseReasons } from './noise.ts'
import { QUICK_POLICY } from './policy.ts'
import { decodeAttainable, type ModelCost, prefillAttainable } from './roofline.ts'
import { bestOfProbe, type CaseInput, type ScoringInput, scoreRun } from './score.ts'

const COST: ModelCost = {
  parameters: 135e6,
  weightBytes: 96e6,
  kvBytesPerToken: 23_040,
  layers: null,
  attentionWidth: null,
}

/** Rates like those of a two-core cloud host, where the case reaches `eta` of the memory roof. */
function input(overrides: Partial<ScoringInput> = {}, eta = 0.5): ScoringInput {
  return {
    policy: { ...QUICK_POLICY, bootstrap: { resamples: 200 } },
    seed: 1,
    threads: 1,
    probe: {
      threads: 1,
      gemmFp32: [98e9, 100e9, 99e9, 97e9, 100e9],
      gemmInt8: [380e9, 384e9, 381e9, 379e9, 380e9],
      bandwidthRead: [29e9, 30e9, 28e9, 29e9, 29.5e9],
      bandwidthTriad: [24e9, 25e9, 24e9, 23e9, 24e9],
    },
    best: { gemmFp32: null, gemmInt8: null, bandwidth: null },
    cost: COST,
    cases: [decodeCase(eta)],
    noise: { loadBefore: 0.2, loadAfter: 1.1, stealRatio: 0, foreignCpuRatio: 0.02, cpuCount: 2 },
    goldenPassed: true,
    ...overrides,
  }
}

function decodeCase(eta: number, spread = 0.02): CaseInput {
  const roof = decodeAttainable(COST, { gemmFp32: 100e9, gemmInt8: 384e9, bandwidth: 30e9 }, 64).tokensPerSecond
  const factors = [1 - spread, 1 + spread, 1, 1 - spread / 2, 1 + spread / 2]
  return {
    id: 'decode-32-64',
    event: 'decode',
    promptTokens: 32,
    generateTokens: 64,
    repeats: 5,
    samples: { tokens: factors.map(() => 64), seconds: factors.map((factor) => 64 / (roof * eta * factor)) },
  }
}

function onlyEvent(overrides: Partial<ScoringInput> = {}, eta?: number) {
  const event = scoreRun(input(overrides, eta)).events[0]
  if (event === undefined) throw new Error('no event')
  return event
}

describe('efficiency', () => {
  it('gives the points that the derivation names', () => {
    const points = [0.05, 0.1, 0.25, 0.5, 0.8].map((eta) => Math.round(efficiencyPoints(eta, 15)))
    expect(points).toEqual([20, 33, 56, 77, 93])
  })

  it('is monotone, rank-stable against the linear value, and within 0 to 100', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(share, share, (left, right) => {
        const [low, high] = [Math.min(left, right), Math.max(left, right)]
        expect(efficiencyPoints(low, 15)).toBeLessThanOrEqual(efficiencyPoints(high, 15))
        expect(efficiencyPoints(left, 15)).toBeGreaterThanOrEqual(0)
        expect(efficiencyPoints(left, 15)).toBeLessThanOrEqual(100)
      }),
    )
    expect(efficiencyPoints(1.04, 15)).toBe(100)
  })

  it('lets a zero anywhere be a zero, and never leaves 0 to 100', () => {
    const points = fc.double({ min: 0, max: 100, noNaN: true })
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(points, points, share, (efficiency, quality, steady) => {
        const full = { efficiency, quality, stability: steady, accuracy: 1 } as const
        const score = caseScore(full, QUICK_POLICY.exponents)
        expect(score).toBeGreaterThanOrEqual(0)
        expect(score).toBeLessThanOrEqual(100)
        for (const zero of [{ efficiency: 0 }, { quality: 0 }, { stability: 0 }, { accuracy: 0 as const }]) {
          expect(caseScore({ ...full, ...zero }, QUICK_POLICY.exponents)).toBe(0)
        }
      }),
    )
    expect(stability(1, 3)).toBe(0)
    expect(stability(0.8, 0.1)).toBeCloseTo(0.72)
  })
})

describe('roofline', () => {
  const peaks = { gemmFp32: 100e9, gemmInt8: 384e9, bandwidth: 30e9 }

  it('takes the integer peak for quantised weights and the float peak for others', () => {
    expect(prefillAttainable(COST, peaks, 256)).toMatchObject({ computeDtype: 'int8', bound: 'compute' })
    const wide = prefillAttainable({ ...COST, weightBytes: 270e6 }, peaks, 256)
    expect(wide).toMatchObject({ computeDtype: 'fp32', bound: 'compute' })
    expect(wide?.tokensPerSecond).toBeLessThan(100e9 / 270e6)
  })

  it('is bound by memory where the prompt is short', () => {
    expect(prefillAttainable(COST, { ...peaks, gemmInt8: 1e14 }, 1)).toMatchObject({ bound: 'bandwidth' })
  })

  it('does not invent the size of a model it does not know', () => {
    expect(prefillAttainable({ ...COST, parameters: null }, peaks, 256)).toBeNull()
  })

  it('charges the KV of the depth to each decoded token', () => {
    const [near, far] = [decodeAttainable(COST, peaks, 0), decodeAttainable(COST, peaks, 4096)]
    expect(near.tokensPerSecond).toBeCloseTo(30e9 / 96e6, 6)
    expect(far.bytesPerToken).toBe(96e6 + 4096 * 23_040)
  })

  it('says whether the attention term is exact', () => {
    const exact = prefillAttainable({ ...COST, layers: 30, attentionWidth: 576 }, peaks, 256)
    expect(exact?.attentionTerm).toBe('exact')
    expect(exact?.flopPerToken).toBe(270e6 + 4 * 30 * 576 * 128)
    expect(prefillAttainable(COST, peaks, 256)?.attentionTerm).toBe('lower_bound')
    expect(prefillAttainable({ ...COST, kvBytesPerToken: null }, peaks, 256)?.attentionTerm).toBe('unknown')
  })
})

describe('scoreRun', () => {
  it('labels a quick score partial, with the linear efficiency beside the points', () => {
    const event = onlyEvent()
    expect(event).toMatchObject({ event: 'decode', state: 'partial', reasons: [{ code: 'quick_suite_only' }] })
    expect(event.cases[0]?.eta).toBeCloseTo(0.5, 2)
    expect(event.cases[0]?.efficiency).toBeCloseTo(77, 0)
    expect(scoreRun(input()).fitness).toEqual({ value: null, reason: 'full_suites_not_run' })
  })

  it('never scores a better efficiency lower, stays in 0 to 100, and keeps the point inside its interval', () => {
    const share = fc.double({ min: 0.01, max: 1, noNaN: true })
    fc.assert(
      fc.property(share, share, fc.nat(), (left, right, seed) => {
        const low = onlyEvent({ seed }, Math.min(left, right))
        const high = onlyEvent({ seed }, Math.max(left, right))
        expect(low.score ?? Number.NaN).toBeLessThanOrEqual((high.score ?? Number.NaN) + 1e-9)
        for (const event of [low, high]) {
          const { low: from, high: to, score } = event
          expect(from ?? -1).toBeGreaterThanOrEqual(0)
          expect(from ?? -1).toBeLessThanOrEqual(score ?? -2)
          expect(score ?? 101).toBeLessThanOrEqual(to ?? 100)
          expect(to ?? 101).toBeLessThanOrEqual(100)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('is the same for the same seed and differs in the interval only for another', () => {
    expect(scoreRun(input({ seed: 7 }))).toEqual(scoreRun(input({ seed: 7 })))
    const [one, two] = [onlyEvent({ seed: 7 }), onlyEvent({ seed: 8 })]
    expect(one.score).toBe(two.score)
  })

  it('lets the scatter of the probe widen the interval', () => {
    const steady = onlyEvent({ probe: { ...input().probe, bandwidthRead: [30e9, 30e9, 30e9, 30e9, 30e9] } })
    const uneven = onlyEvent({ probe: { ...input().probe, bandwidthRead: [30e9, 20e9, 20e9, 20e9, 20e9] } })
    expect((uneven.high ?? 0) - (uneven.low ?? 0)).toBeGreaterThan((steady.high ?? 0) - (steady.low ?? 0))
  })

  it('divides by the best rate ever recorded when the probe of today is lower', () => {
    const today = onlyEvent()
    const against = onlyEvent({ best: { gemmFp32: null, gemmInt8: null, bandwidth: 60e9 } })
    expect(against.cases[0]?.eta).toBeCloseTo((today.cases[0]?.eta ?? 0) / 2, 6)
    expect(bestOfProbe(input().probe)).toEqual({ gemmFp32: 100e9, gemmInt8: 384e9, bandwidth: 30e9 })
  })

  it('voids a record whose probe was too slow, and one that cannot be judged', () => {
    const codes = (overrides: Partial<ScoringInput>, eta?: number): unknown => {
      const event = onlyEvent(overrides, eta)
      return [event.state, event.score, event.reasons.map(({ code }) => code)]
    }
    expect(codes({}, 1.2)).toEqual(['void', null, ['probe_too_slow']])
    expect(codes({ goldenPassed: null })).toEqual(['void', null, ['golden_unchecked']])
    expect(codes({ threads: 2 })).toEqual(['void', null, ['probe_threads_differ']])
  })

  it('says noisy instead of a number', () => {
    expect(onlyEvent({ cases: [decodeCase(0.5, 0.4)] })).toMatchObject({
      state: 'noisy',
      score: null,
      reasons: [{ code: 'variation_over_limit', params: { case: 'decode-32-64', limit: '0.15' } }],
    })
    const noise = { ...input().noise, stealRatio: 0.2, foreignCpuRatio: 0.5 }
    expect(onlyEvent({ noise }).reasons.map(({ code }) => code)).toEqual(['steal_over_limit', 'foreign_cpu_over_limit'])
  })

  it('gives zero for a failed golden check and for a case that did not run', () => {
    expect(onlyEvent({ goldenPassed: false }).score).toBe(0)
    expect(onlyEvent({ cases: [{ ...decodeCase(0.5), samples: null }] }).score).toBe(0)
  })
})

describe('noiseReasons', () => {
  it('looks at the load average only where nothing better is known', () => {
    const reading = { loadBefore: 9, loadAfter: 9, stealRatio: null, cpuCount: 2 }
    expect(noiseReasons({ ...reading, foreignCpuRatio: 0 }, QUICK_POLICY.limits)).toEqual([])
    expect(noiseReasons({ ...reading, foreignCpuRatio: null }, QUICK_POLICY.limits)).toEqual([
      { code: 'load_over_limit', params: { value: '4.5', limit: '1.5' } },
    ])
  })
})
