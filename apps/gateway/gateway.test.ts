import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bench, startBench } from './testing/bench.ts'

const MESSAGES = [{ role: 'user' as const, content: 'What is the capital of France?' }]

describe('gateway', () => {
  let bench: Bench
  beforeAll(async () => {
    bench = await startBench()
  })
  afterAll(() => bench.close())

  it('passes a chat through and records its usage', async () => {
    const { data, response } = await bench.client.chat.completions
      .create({ model: 'tiny', messages: MESSAGES })
      .withResponse()
    expect(data.choices[0]?.message.content).toBe('The capital is Paris.')
    expect(response.headers.get('x-medley-revision')).toBe('revision_1')
    const requestId = response.headers.get('x-request-id') ?? ''
    expect(requestId).toMatch(/^req_/)
    expect(await bench.server.record(requestId)).toMatchObject({
      outcome: 'completed',
      httpStatus: 200,
      model: 'tiny',
      revisionId: 'revision_1',
      replicaId: 'replica_1',
      chipUuids: ['cpu-0'],
      stream: false,
      promptTokens: 7,
      cachedTokens: 1,
      completionTokens: 5,
    })
  })

  it('streams, strips the usage lines and records the last counts', async () => {
    const { data, response } = await bench.client.chat.completions
      .create({ model: 'tiny', messages: MESSAGES, stream: true })
      .withResponse()
    let text = ''
    for await (const chunk of data) text += chunk.choices[0]?.delta.content ?? ''
    expect(text).toBe('The capital is Paris.')
    const record = await bench.server.record(response.headers.get('x-request-id') ?? '')
    expect(record).toMatchObject({ outcome: 'completed', stream: true, promptTokens: 7, completionTokens: 5 })
    expect(record.timeToFirstTokenMs).toBeGreaterThan(0)
  })
})
