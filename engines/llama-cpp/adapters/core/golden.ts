import type { GoldenCase } from '@medley/serving/protocol'
import { errors } from '../../errors.ts'
import type { Engine } from './engine.ts'

/**
 * Asks the model its check question, greedily and through the pinned template: a wrong template, a broken file or a
 * broken kernel shows here and not at a customer's.
 *
 * @returns The answer.
 * @throws {AppError} `engine.golden.mismatch` with the answer.
 */
export async function checkGolden(engine: Engine, golden: GoldenCase): Promise<string> {
  const { signal } = new AbortController()
  const prompt = await engine.prompts.chat([{ role: 'user', content: golden.question }], signal)
  const pieces: string[] = []
  await engine.run(
    {
      prompt,
      maxTokens: Math.min(golden.maxTokens, Math.max(1, engine.spec.config.contextTokens - prompt.length)),
      sampling: { temperature: 0, topP: 1, topK: 0, minP: 0, seed: 0 },
      stop: engine.spec.template.stop,
      stopTokens: engine.prompts.stopTokens,
      grammar: null,
      synthetic: false,
    },
    engine.ledger.open('golden', prompt.length),
    signal,
    { text: (delta) => pieces.push(delta) },
  )
  const answer = pieces.join('')
  if (answer.includes(golden.mustContain)) return answer
  throw errors['golden.mismatch']({ answer, expected: golden.mustContain })
}
