import { starterModel } from '@medley/testkit'
import { getLlama, type LlamaModel } from 'node-llama-cpp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBoundedTokenizer } from './tokenizer.ts'

const never = new AbortController().signal
const words = (count: number) => 'some words of a longer text, again and again; '.repeat(Math.ceil(count / 10))
const content = (text: string) => [{ kind: 'content' as const, text }]

describe('bounded tokenizer', { timeout: 60_000 }, () => {
  let model: LlamaModel
  beforeAll(async () => {
    const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true })
    model = await llama.loadModel({ modelPath: await starterModel(), gpuLayers: 0, vocabOnly: true })
  }, 60_000)
  afterAll(() => model?.dispose())

  it('finds the same tokens piece by piece as in one go', async () => {
    const text = words(60_000)
    const result = await createBoundedTokenizer(model).tokenize(content(text), 1_000_000, never)
    expect(result).toEqual({ kind: 'tokens', tokens: [...model.tokenize(text, false)] })
  })

  it('lets others have their turn between the pieces', async () => {
    const text = words(60_000)
    let turns = 0
    let done = false
    const other = (): void => {
      turns += 1
      if (!done) setImmediate(other)
    }
    setImmediate(other)
    await createBoundedTokenizer(model).tokenize(content(text), 1_000_000, never)
    done = true
    expect(turns).toBeGreaterThanOrEqual(Math.floor(text.length / (16 * 1024)))
  })

  it('refuses by its length alone what cannot fit, with a bound that is true', async () => {
    const text = words(1_000_000)
    const refusal = await createBoundedTokenizer(model).tokenize(content(text), 512, never)
    const { leastTokens } = refusal.kind === 'too-long' ? refusal : { leastTokens: 0 }
    expect(leastTokens).toBeGreaterThan(512)
    expect(leastTokens).toBeLessThanOrEqual(model.tokenize(text, false).length)
  })

  it('stops in the middle once the limit is passed, or the client has left', async () => {
    const tokenizer = createBoundedTokenizer(model)
    const text = words(15_000)
    const whole = model.tokenize(text, false).length
    const refusal = await tokenizer.tokenize(content(text), 512, never)
    const { leastTokens } = refusal.kind === 'too-long' ? refusal : { leastTokens: whole }
    expect(leastTokens).toBeGreaterThan(512)
    expect(leastTokens).toBeLessThan(whole)
    const left = new AbortController()
    const tokens = tokenizer.tokenize(content(text), 1_000_000, left.signal)
    left.abort(new Error('gone'))
    await expect(tokens).rejects.toThrow('gone')
  })
})
