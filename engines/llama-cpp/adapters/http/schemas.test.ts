import { describe, expect, it } from 'vitest'
import { chatBody, completionBody, embeddingBody, parseBody } from './schemas.ts'

const chat = (extra: object) => () =>
  parseBody(chatBody, { model: 'm', messages: [{ role: 'user', content: 'hi' }], ...extra })

describe('parseBody', () => {
  it('takes what the official client sends', () => {
    const body = chat({
      stream: true,
      stream_options: { include_usage: true },
      stop: null,
      n: 1,
      logprobs: false,
      user: 'someone',
      metadata: { a: 'b' },
      frequency_penalty: 0,
    })()
    expect(body).toMatchObject({ stream: true, messages: [{ role: 'user', content: 'hi' }] })
  })

  it.each([
    [{ temperature: 3 }, 'temperature'],
    [{ max_tokens: 0 }, 'max_tokens'],
    [{ max_completion_tokens: 1.5 }, 'max_completion_tokens'],
    [{ stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop'],
    [{ messages: [] }, 'messages'],
    [{ messages: [{ role: 'tool', content: '' }] }, 'messages[0].role'],
    [{ messages: [{ role: 'user' }] }, 'messages[0].content'],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }, 'messages[0].content[0].type'],
    [{ response_format: { type: 'xml' } }, 'response_format.type'],
    [{ response_format: { type: 'json_schema', json_schema: {} } }, 'response_format.json_schema.schema'],
    [{ stream_options: { include_usage: 1 } }, 'stream_options.include_usage'],
    [{ n: 2 }, 'n'],
    [{ logprobs: true }, 'logprobs'],
    [{ tools: [] }, 'tools'],
    [{ logit_bias: { 1: 2 } }, 'logit_bias'],
    [{ presence_penalty: 1 }, 'presence_penalty'],
  ])('refuses %j and names %s', (extra, param) => {
    expect(chat(extra)).toThrow(expect.objectContaining({ status: 400, param }))
  })

  it('says that a field is missing, not that it is of a wrong type', () => {
    expect(() => parseBody(completionBody, {})).toThrow("'prompt' is required.")
  })

  it('takes every form of input for embeddings but none of dimensions', () => {
    for (const input of ['a', ['a', 'b'], [1, 2], [[1], [2, 3]]]) {
      expect(parseBody(embeddingBody, { input }).input).toEqual(input)
    }
    expect(() => parseBody(embeddingBody, { input: 'a', dimensions: 8 })).toThrow(
      expect.objectContaining({ param: 'dimensions', code: 'unsupported_parameter' }),
    )
  })

  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    'takes a member named %s for what it is',
    (name) => {
      const body: unknown = JSON.parse(`{"messages":[{"role":"user","content":"hi"}],"${name}":{"a":1}}`)
      expect(parseBody(chatBody, body)).toMatchObject({ messages: [{ content: 'hi' }] })
    },
  )

  it.each([300, 5_000, 100_000])('refuses a schema that is nested %i levels deep', (depth) => {
    const schema: unknown = JSON.parse(`${'{"items":'.repeat(depth)}{}${'}'.repeat(depth)}`)
    const format = { type: 'json_schema', json_schema: { name: 'deep', schema } }
    expect(chat({ response_format: format })).toThrow(expect.objectContaining({ status: 400, param: 'body' }))
  })

  it('takes a schema as deep as can be forced', () => {
    const schema: unknown = JSON.parse(
      `${'{"type":"object","properties":{"a":'.repeat(64)}{"type":"null"}${'}}'.repeat(64)}`,
    )
    const format = { type: 'json_schema', json_schema: { schema } }
    expect(chat({ response_format: format })()).toMatchObject({ response_format: format })
  })

  it.each([null, [], 'text', 3])('refuses a body that is %j', (body) => {
    expect(() => parseBody(chatBody, body)).toThrow(expect.objectContaining({ status: 400, param: 'body' }))
  })
})
