import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_EVENT_BYTES, SseSplitter } from './sse.ts'

/** Cuts `bytes` at the given places, modulo its length. */
function chunksOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((left, right) => left - right)
  return [...places, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : places[index - 1], end))
}

const usageLine = fc
  .nat(9999)
  .map((count) => ({ text: `: usage prompt=${count} cached=0 completion=${count + 1}`, count }))
const dataLine = fc.string().map((text) => `data: ${JSON.stringify({ text })}`)
const event = fc.record({
  usage: fc.option(usageLine),
  comment: fc.option(fc.constant(': keep-alive')),
  data: fc.array(dataLine, { minLength: 1, maxLength: 3 }),
  end: fc.constantFrom('\n', '\r\n'),
})

describe('SseSplitter', () => {
  it('passes every event on but for its usage lines, wherever the chunks end', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 8 }), fc.array(fc.nat()), (events, cuts) => {
        const text = (withUsage: boolean) =>
          events
            .map(({ usage, comment, data, end }) => {
              const lines = [...(withUsage && usage ? [usage.text] : []), ...(comment ? [comment] : []), ...data, '']
              return lines.map((line) => line + end).join('')
            })
            .join('')
        const splitter = new SseSplitter()
        const passed = chunksOf(Buffer.from(text(true)), cuts).flatMap((chunk) => splitter.push(chunk))
        expect(Buffer.concat(passed.map(({ bytes }) => bytes)).toString()).toBe(text(false))
        expect(passed).toHaveLength(events.length)
        const last = events.findLast(({ usage }) => usage !== null)?.usage
        expect(splitter.counts.promptTokens).toBe(last?.count ?? null)
      }),
    )
  })

  it('leaves nothing of an event that held only usage', () => {
    const splitter = new SseSplitter()
    expect(splitter.push(Buffer.from(': usage prompt=1 cached=2 completion=3\n\n'))).toEqual([])
    expect(splitter.counts).toEqual({ promptTokens: 1, cachedTokens: 2, completionTokens: 3 })
  })

  it('takes the counts from a usage object where there are no usage lines', () => {
    const splitter = new SseSplitter()
    const usage = { prompt_tokens: 4, completion_tokens: 5 }
    splitter.push(Buffer.from(`data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`))
    expect(splitter.counts).toEqual({ promptTokens: 4, cachedTokens: null, completionTokens: 5 })
  })

  it('knows the two events that end a stream', () => {
    const splitter = new SseSplitter()
    const events = splitter.push(
      Buffer.from('data: {"x":"[DONE]"}\n\ndata: {"error":{"code":"a"}}\n\ndata: [DONE]\n\n'),
    )
    expect(events.map(({ kind }) => kind)).toEqual(['data', 'error', 'done'])
  })

  it('does not gather an endless event', () => {
    const splitter = new SseSplitter()
    expect(() => splitter.push(Buffer.alloc(MAX_EVENT_BYTES + 1, 'x'))).toThrow(RangeError)
  })
})
