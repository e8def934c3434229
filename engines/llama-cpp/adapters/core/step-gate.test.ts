import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createStepGate } from './step-gate.ts'

describe('step gate', () => {
  it('keeps fast and slow sequences in the same round, and lets newcomers join the next', async () => {
    const gate = createStepGate()
    const log: string[] = []
    let active = 0
    const sequence = async (name: string, steps: number, ms: number): Promise<void> => {
      for (let step = 0; step < steps; step += 1) {
        await gate.run(async () => {
          active += 1
          await delay(1)
          log.push(`${name}${active}`)
          await delay(ms)
          active -= 1
        })
      }
    }
    const late = delay(20).then(() => sequence('c', 1, 0))
    await Promise.all([sequence('a', 2, 0), sequence('b', 2, 40), late])
    // Two in the first round although one of them was done at once; the newcomer makes three in the second.
    expect(log.slice(0, 2).sort()).toEqual(['a2', 'b2'])
    expect(log.slice(2).sort()).toEqual(['a3', 'b3', 'c3'])
  })

  it('goes on after a step has failed', async () => {
    const gate = createStepGate()
    await expect(gate.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect(await gate.run(async () => 'next')).toBe('next')
  })
})
