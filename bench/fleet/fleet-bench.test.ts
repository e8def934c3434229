import { spawn } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cpuSeconds, residentBytes } from './processes.ts'
import { quantile, slope } from './statistics.ts'

describe('statistics', () => {
  it('finds the slope of any line, whatever its offset', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -50, max: 50 }),
        fc.integer(),
        fc.integer({ min: 2, max: 50 }),
        (rise, at, count) => {
          const points = Array.from({ length: count }, (_, x) => ({ x, y: at + rise * x }))
          expect(slope(points)).toBeCloseTo(rise, 3)
        },
      ),
    )
  })

  it('takes quantiles by nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect([quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1)]).toEqual([50, 99, 100])
    expect(() => quantile([], 0.5)).toThrow(RangeError)
  })
})

describe.runIf(process.platform === 'linux')('a process', () => {
  it('is charged for children that have ended', async () => {
    const before = cpuSeconds(process.pid)
    const burner = spawn(process.execPath, ['-e', 'const end = Date.now() + 400; while (Date.now() < end);'])
    await new Promise((resolve) => burner.once('exit', resolve))
    expect(cpuSeconds(process.pid) - before).toBeGreaterThan(0.1)
    expect(residentBytes(process.pid)).toBeGreaterThan(2 ** 20)
  })
})
