import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventData } from './sse.ts'

function streamOf(pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece)
      controller.close()
    },
  })
}

async function collect(pieces: readonly Uint8Array[]): Promise<readonly string[]> {
  const found: string[] = []
  for await (const data of eventData(streamOf(pieces))) found.push(data)
  return found
}

describe('eventData', () => {
  it('reads the same events however the bytes are cut', async () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((value) => !/[\r\n]/.test(value))
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 6 }), fc.integer({ min: 1, max: 7 }), async (events, size) => {
        const bytes = new TextEncoder().encode(events.map((event) => `: note\ndata: ${event}\n\n`).join(''))
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
          bytes.slice(index * size, (index + 1) * size),
        )
        expect(await collect(pieces)).toEqual(events)
      }),
    )
  })

  it('drops an event that was cut off', async () => {
    expect(await collect([new TextEncoder().encode('data: whole\n\ndata: hal')])).toEqual(['whole'])
  })
})
