import { statSync } from 'node:fs'
import { join } from 'node:path'
import { starterModel, type TempDirectory, tempDirectory, waitFor } from '@medley/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseStream, startChild } from './testing/child.ts'
import { exampleSpec } from './testing/example-spec.ts'

const CHAT = '/v1/chat/completions'
const LONG = { messages: [{ role: 'user', content: 'Write a long story about a dragon.' }], temperature: 0 }

let model: string
let directory: TempDirectory

beforeAll(async () => {
  model = await starterModel()
  directory = await tempDirectory()
}, 180_000)

afterAll(() => directory[Symbol.asyncDispose]())

describe('life of an engine process', () => {
  it('answers health from the start and sends requests away until it is ready', { timeout: 180_000 }, async () => {
    await using child = startChild(exampleSpec(model), join(directory.path, 'start'))
    const first = await waitFor('an answer', () => child.health())
    expect(['starting', 'checking']).toContain(first.state)
    const early = await child.call('POST', CHAT, { body: LONG })
    expect(early.status).toBe(503)
    expect(early.headers['retry-after']).toMatch(/^\d+$/)
    expect(statSync(child.socketPath).mode & 0o777).toBe(0o600)
    await child.until('ready')
  })

  it('fails with the answer when the check question is answered wrongly', { timeout: 180_000 }, async () => {
    const golden = { question: 'What is the capital of France?', mustContain: 'Lyon', maxTokens: 32 }
    await using child = startChild({ ...exampleSpec(model), golden }, join(directory.path, 'golden'))
    const health = await child.until('failed')
    expect(health.error).toEqual({
      code: 'engine.golden.mismatch',
      params: { answer: 'The capital of France is Paris.', expected: 'Lyon' },
    })
  })

  it('says which file it could not load', { timeout: 180_000 }, async () => {
    const missing = join(directory.path, 'no-such.gguf')
    await using child = startChild(exampleSpec(missing), join(directory.path, 'missing'))
    const health = await child.until('failed')
    expect(health.error).toEqual({ code: 'engine.model.unreadable', params: { path: missing } })
  })

  it('ends running answers before it goes, and refuses new ones', { timeout: 180_000 }, async () => {
    await using child = startChild(exampleSpec(model), join(directory.path, 'drain'))
    await child.until('ready')
    const answer = child.call('POST', CHAT, { body: { ...LONG, stream: true, max_tokens: 120 } })
    await waitFor('a busy slot', async () => (await child.health()).slots.busy === 1)
    child.process.kill('SIGTERM')
    await child.until('draining')
    const refused = await child.call('POST', CHAT, { body: LONG })
    expect(refused.status).toBe(503)
    expect(refused.headers['retry-after']).toMatch(/^\d+$/)
    const events = parseStream((await answer).text)
    expect(events.at(-1)?.data).toBe('[DONE]')
    expect(events.at(-1)?.usage.completion).toBe(120)
    expect(await child.exited()).toEqual([0, null])
  })

  it('comes back on the same socket after kill -9', { timeout: 180_000 }, async () => {
    const run = join(directory.path, 'killed')
    const first = startChild(exampleSpec(model), run)
    await first.until('ready')
    const broken = first.call('POST', CHAT, { body: { ...LONG, stream: true } })
    await waitFor('a busy slot', async () => (await first.health()).slots.busy === 1)
    first.process.kill('SIGKILL')
    await expect(broken).rejects.toThrow()
    await first.exited()
    await using second = startChild(exampleSpec(model), run)
    expect(second.socketPath).toBe(first.socketPath)
    await second.until('ready')
    expect((await second.call('POST', CHAT, { body: { ...LONG, max_tokens: 2 } })).status).toBe(200)
  })

  it('does not take the socket of a living process', { timeout: 180_000 }, async () => {
    const run = join(directory.path, 'taken')
    await using first = startChild(exampleSpec(model), run)
    await waitFor('an answer', () => first.health())
    await using second = startChild(exampleSpec(model), run)
    expect(await second.exited()).toEqual([1, null])
    await first.until('ready')
  })

  it('drafts from the prompt without changing the answer', { timeout: 180_000 }, async () => {
    const text = 'alpha beta gamma delta epsilon zeta eta theta iota kappa'
    const body = {
      messages: [{ role: 'user', content: `Repeat this text word for word: ${text}. ${text}.` }],
      temperature: 0,
    }
    const answers: string[] = []
    for (const promptLookup of [null, { minTokens: 1, maxTokens: 8 }]) {
      const spec = exampleSpec(model, { promptLookup, contextTokens: 256 })
      await using child = startChild(spec, join(directory.path, `lookup-${promptLookup?.maxTokens ?? 0}`))
      await child.until('ready')
      const reply = await child.call('POST', CHAT, { body })
      expect(reply.json.usage.total_tokens).toBeLessThanOrEqual(256)
      answers.push(reply.json.choices[0].message.content)
    }
    expect(answers[1]).toBe(answers[0])
  })
})
