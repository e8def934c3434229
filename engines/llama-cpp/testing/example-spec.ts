import type { EngineSpec } from '@medley/serving/protocol'

const CHATML = `{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] }}{{ '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`

/** A small deployment of the starter model for tests. */
export function exampleSpec(modelPath: string, change: Partial<EngineSpec['config']> = {}): EngineSpec {
  return {
    replicaId: 'replica-test',
    revisionId: 'revision-test',
    family: 'llama-cpp',
    servedModel: 'starter',
    modelPath,
    modelDigest: 'sha256:unchecked',
    template: { name: 'chatml', text: CHATML, systemPrompt: null, stop: ['<|im_end|>'] },
    config: {
      slots: 3,
      contextTokens: 512,
      threads: 1,
      batchTokens: 256,
      flashAttention: true,
      promptLookup: null,
      maxQueue: 1,
      ...change,
    },
    golden: { question: 'What is the capital of France?', mustContain: 'Paris', maxTokens: 32 },
    chipUuids: [],
  }
}
