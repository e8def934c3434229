import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSampleBuffer, type KeptSample } from './buffer.ts'

const LAYOUT = { chips: ['a'], metrics: ['powerWatts'] }
const OTHER = { chips: ['a', 'b'], metrics: ['powerWatts'] }
const MOST = { samples: 3, values: 1_000 }

function sample(atMs: number, layout = LAYOUT, values = layout.chips.length): KeptSample {
  return { atMs, layout, values: new Float64Array(values) }
}

describe('the sample buffer', () => {
  it('hands out the oldest of one layout, and keeps them until the server has them', () => {
    const buffer = createSampleBuffer({ maxAgeMs: 1e6, maxBytes: 1e6 })
    for (const atMs of [1, 2, 3, 4]) buffer.push(sample(atMs))
    buffer.push(sample(5, OTHER))
    const batch = buffer.batch(MOST)
    expect(batch.samples.map(({ atMs }) => atMs)).toEqual([1, 2, 3])
    expect(buffer.batch(MOST).samples).toEqual(batch.samples)
    buffer.forget(batch)
    expect(buffer.batch(MOST).samples.map(({ atMs }) => atMs)).toEqual([4])
    buffer.forget(buffer.batch(MOST))
    expect(buffer.batch(MOST)).toMatchObject({ layout: OTHER, gaps: [] })
  })

  it('keeps no message above its size, however few samples that are', () => {
    const buffer = createSampleBuffer({ maxAgeMs: 1e6, maxBytes: 1e6 })
    for (const atMs of [1, 2, 3]) buffer.push(sample(atMs, LAYOUT, 600))
    expect(buffer.batch(MOST).samples.map(({ atMs }) => atMs)).toEqual([1])
  })

  it('stays within its bounds, and every time without a sample is in a gap', () => {
    const input = fc.record({
      counts: fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 12 }),
      maxAgeMs: fc.integer({ min: 10, max: 400 }),
      maxBytes: fc.integer({ min: 500, max: 9_000 }),
    })
    fc.assert(
      fc.property(input, ({ counts, maxAgeMs, maxBytes }) => {
        const buffer = createSampleBuffer({ maxAgeMs, maxBytes })
        const received = new Set<number>()
        const gaps: { fromMs: number; toMs: number }[] = []
        const handIn = (): void => {
          const batch = buffer.batch(MOST)
          for (const stored of batch.samples) received.add(stored.atMs)
          gaps.push(...batch.gaps)
          buffer.forget(batch)
        }
        let atMs = 0
        for (const count of counts) {
          for (let taken = 0; taken < count; taken += 1) {
            atMs += 10
            buffer.push(sample(atMs))
            expect(buffer.bytes).toBeLessThanOrEqual(Math.max(maxBytes, 208))
          }
          handIn()
        }
        while (!buffer.isEmpty) handIn()
        for (let time = 10; time <= atMs; time += 10) {
          const marked = gaps.some(({ fromMs, toMs }) => time >= fromMs && time < toMs)
          expect(received.has(time) !== marked).toBe(true)
        }
      }),
    )
  })

  it('keeps the times of what is under way while the clock is set, and forgets it all the same', () => {
    const buffer = createSampleBuffer({ maxAgeMs: 1e6, maxBytes: 1e6 })
    for (const atMs of [1_000, 1_010, 1_020, 1_030]) buffer.push(sample(atMs))
    buffer.addGap({ fromMs: 900, toMs: 1_000, reason: 'agent-stopped' })
    const batch = buffer.batch(MOST)
    buffer.shift(-500)
    // A failure: the server may have them, and knows them by their times.
    expect(buffer.batch(MOST)).toEqual(batch)
    buffer.forget(batch)
    expect(buffer.batch(MOST)).toMatchObject({ samples: [{ atMs: 530 }], gaps: [] })
    expect(buffer.length).toBe(1)
  })

  it('tells times by the new clock after it was set, and never more than a hundred gaps', () => {
    const buffer = createSampleBuffer({ maxAgeMs: 1e6, maxBytes: 1e6 })
    buffer.push(sample(1_000))
    for (let index = 0; index < 150; index += 1)
      buffer.addGap({ fromMs: index * 10, toMs: index * 10 + 1, reason: index % 2 ? 'clock-jumped' : 'agent-stopped' })
    buffer.shift(-100)
    const batch = buffer.batch(MOST)
    expect(batch.samples[0]?.atMs).toBe(900)
    expect(batch.gaps).toHaveLength(100)
    expect(batch.gaps.at(-1)).toMatchObject({ fromMs: 1390, toMs: 1391 })
  })
})
