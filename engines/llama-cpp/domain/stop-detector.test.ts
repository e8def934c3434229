import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createStopDetector } from './stop-detector.ts'

function feed(pieces: readonly string[], stops: readonly string[]): { text: string; stopped: boolean } {
  const detector = createStopDetector(stops)
  let text = ''
  for (const piece of pieces) {
    const outcome = detector.push(piece)
    text += outcome.text
    if (outcome.stopped) return { text, stopped: true }
  }
  return { text: text + detector.flush(), stopped: false }
}

// A small alphabet, or stop strings would hardly ever occur.
const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 40 })
const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '\n'), minLength: 1, maxLength: 4 }), {
  maxLength: 4,
})

describe('stop detector', () => {
  it('holds back what may become a stop string, and no more', () => {
    const detector = createStopDetector(['</end>'])
    expect(detector.push('hello </e')).toEqual({ text: 'hello ', stopped: false })
    expect(detector.push('m> <')).toEqual({ text: '</em> ', stopped: false })
    expect(detector.push('/end> tail')).toEqual({ text: '', stopped: true })
  })

  it('lets the string win that is complete first', () => {
    expect(feed(['abcabd'], ['bcab', 'ca'])).toEqual({ text: 'ab', stopped: true })
  })

  it('takes the longer of two that end together', () => {
    expect(feed(['xxab'], ['b', 'ab'])).toEqual({ text: 'xx', stopped: true })
  })

  it('answers the same however the text is cut', () => {
    fc.assert(
      fc.property(text, stops, fc.array(fc.nat(5), { minLength: 1 }), (whole, strings, sizes) => {
        expect(feed(cut(whole, sizes), strings)).toEqual(feed([whole], strings))
      }),
    )
  })

  it('never lets a stop string through and never loses text before it', () => {
    fc.assert(
      fc.property(text, stops, (whole, strings) => {
        const result = feed([...whole], strings)
        expect(whole.startsWith(result.text)).toBe(true)
        expect(result.stopped).toBe(strings.some((stop) => whole.includes(stop)))
        expect(strings.some((stop) => result.text.includes(stop))).toBe(false)
        if (!result.stopped) expect(result.text).toBe(whole)
      }),
    )
  })
})

function cut(whole: string, sizes: readonly number[]): string[] {
  const pieces: string[] = []
  for (let from = 0, turn = 0; from < whole.length; turn += 1) {
    const size = (sizes[turn % sizes.length] ?? 0) + 1
    pieces.push(whole.slice(from, from + size))
    from += size
  }
  return pieces
}
