import { describe, expect, it } from 'vitest'
import { measureHostileTools } from '../fixtures/hostile-tools.ts'

const MEBIBYTE = 2 ** 20

describe.skipIf(process.platform !== 'linux')('hostile tools of all vendors at once', { timeout: 240_000 }, () => {
  it('cost other vendors no reading and the agent no memory to speak of', async () => {
    const outcome = await measureHostileTools()
    // They did run: some sleep to this moment, others were started again and again.
    expect(outcome.asleep).toBeGreaterThan(0)
    expect([...outcome.runs.values()].filter((count) => count > 1).length).toBeGreaterThan(3)
    // While they did, the one that works was read at its own pace: no round of readings waited for a sleeper.
    expect(outcome.steady.length).toBeGreaterThan(5)
    expect(outcome.peakBytes - outcome.baselineBytes).toBeLessThanOrEqual(64 * MEBIBYTE)
  })
})
