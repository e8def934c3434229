import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import { unavailable } from '../core/request-error.ts'
import { createEventStream } from './event-stream.ts'

const record = { id: 'r', promptTokens: 5, cachedTokens: 2, completionTokens: 1, state: 'running' as const }

describe('event stream', () => {
  it.each([
    [unavailable('Gone.', 'gone', 1), { message: 'Gone.', code: 'gone' }],
    // What went wrong inside is ours to know, not the client's.
    [new Error('secret detail'), { message: expect.not.stringContaining('secret'), code: 'engine_failed' }],
  ])('ends a failed answer with an error event and without [DONE]', async (failure, error) => {
    const server = createServer((_, response) => {
      const events = createEventStream(response, record)
      events.open()
      events.event({ a: 1 })
      events.fail(failure)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const text = await (await fetch(`http://127.0.0.1:${port}/`)).text()
    server.close()
    const blocks = text.split('\n\n').filter((block) => block !== '')
    expect(blocks[0]).toBe(': usage prompt=5 cached=2 completion=1\ndata: {"a":1}')
    expect(JSON.parse(blocks[1]?.split('data: ')[1] ?? '')).toMatchObject({ error })
    expect(blocks).toHaveLength(2)
  })
})
