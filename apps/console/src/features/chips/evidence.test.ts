import { describe, expect, it } from 'vitest'
import { readEvidence } from './evidence.ts'

const measurement = {
  probe: {
    threads: 2,
    library: 'x 1.0',
    gemmFp32: { shape: [8, 8, 8], flopsPerSecond: [1, 2] },
    bandwidthRead: { bytes: 64, bytesPerSecond: [3] },
  },
  cases: [{ id: 'decode-8', event: 'decode', promptTokens: 4, generateTokens: 8, seconds: [0.5], cpuSeconds: [] }],
  environment: { kernel: '6', container: true, governor: null, nested: {} },
  noise: { loadBefore: 0.1, loadAfter: 0.2, stealRatio: null },
}

describe('readEvidence', () => {
  it('finds the measurement at the top and inside a result', () => {
    for (const evidence of [measurement, { result: measurement }]) {
      const read = readEvidence(evidence)
      expect(read.cases).toEqual([{ id: 'decode-8', event: 'decode', tokens: 8, seconds: [0.5], cpuSeconds: [] }])
      expect(read.peaks.map(({ name, unit }) => [name, unit])).toEqual([
        ['gemmFp32', 'FLOP/s'],
        ['bandwidthRead', 'B/s'],
      ])
      expect(read.environment.map(([name]) => name)).toEqual(['kernel', 'container', 'governor'])
      expect(read.noise.steal).toBeNull()
    }
  })

  it('reads nothing from what it does not know, without failing', () => {
    for (const evidence of [null, 7, 'x', [], { probe: 1, cases: 'no' }]) {
      expect(readEvidence(evidence)).toMatchObject({ cases: [], peaks: [] })
    }
  })
})
