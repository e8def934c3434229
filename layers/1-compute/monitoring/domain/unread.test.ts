import fc from 'fast-check'
import { expect, it } from 'vitest'
import { unreadTimes } from './unread.ts'

const TOLERANCE_MS = 25

it('marks what is neither read nor known of, the same as looking at every moment', () => {
  const span = fc.tuple(fc.nat(600), fc.integer({ min: 1, max: 90 })).map(([fromMs, lengthMs]) => ({
    fromMs,
    toMs: fromMs + lengthMs,
  }))
  const given = fc.record({
    slots: fc.uniqueArray(fc.nat(19), { maxLength: 20 }),
    known: fc.array(span, { maxLength: 8 }),
  })
  fc.assert(
    fc.property(given, ({ slots, known }) => {
      const widthMs = 30
      const timesMs = slots.map((slot) => slot * widthMs).sort((a, b) => a - b)
      const period = { widthMs, fromMs: 0, toMs: 600, toleranceMs: TOLERANCE_MS }
      const inOrder = [...known].sort((a, b) => a.fromMs - b.fromMs)
      const unread = unreadTimes({ ...period, timesMs }, inOrder)
      const isFree = (ms: number) =>
        !timesMs.some((at) => at <= ms && ms < at + widthMs) &&
        !known.some(({ fromMs, toMs }) => fromMs <= ms && ms < toMs)
      const plain: { fromMs: number; toMs: number }[] = []
      for (let ms = 0; ms < 600; ms += 1) {
        const last = plain.at(-1)
        if (!isFree(ms)) continue
        if (last?.toMs === ms) last.toMs = ms + 1
        else plain.push({ fromMs: ms, toMs: ms + 1 })
      }
      expect(unread).toEqual(plain.filter(({ fromMs, toMs }) => toMs - fromMs >= TOLERANCE_MS))
    }),
  )
})

it('bears single samples as far apart as the tolerance', () => {
  const period = { widthMs: 1, fromMs: 0, toMs: 200, toleranceMs: TOLERANCE_MS }
  expect(unreadTimes({ ...period, timesMs: [10, 35, 61, 150, 180] }, [])).toEqual([
    { fromMs: 35, toMs: 61 },
    { fromMs: 61, toMs: 150 },
    { fromMs: 150, toMs: 180 },
  ])
  expect(unreadTimes({ ...period, timesMs: [] }, [{ fromMs: 0, toMs: 190 }])).toEqual([])
})
