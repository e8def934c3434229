import type { Token } from 'node-llama-cpp'
import type { MeasureRequest, MeasureResult } from '../../protocol.ts'
import type { Engine } from './engine.ts'
import type { OpenRecord } from './ledger.ts'
import { badRequest, RequestError } from './request-error.ts'

type Repeat = MeasureResult['repeats'][number]

/** Any text does: speed does not depend on what the tokens mean. */
const TEXT = 'The quick brown fox jumps over the lazy dog while seven wizards quietly bake bread in the old mill. '

/**
 * Drives the slots and the batching that serve clients, without HTTP: the engine's own speed.
 *
 * The first token of an answer falls out of the prompt's last step, so it counts with the prompt; `generateTokens`
 * are decoding steps after it, as llama-bench counts them.
 *
 * @throws {RequestError} 400 when it does not fit a slot, 409 while clients are being served.
 */
export async function measure(engine: Engine, request: MeasureRequest, signal: AbortSignal): Promise<MeasureResult> {
  const { config } = engine.spec
  const needed = request.promptTokens + request.generateTokens + 1
  if (needed > config.contextTokens) {
    throw badRequest('promptTokens', `${needed} tokens do not fit a slot of ${config.contextTokens}.`)
  }
  if (request.concurrency > config.slots) {
    throw badRequest('concurrency', `The engine has ${config.slots} slots, not ${request.concurrency}.`)
  }
  if (engine.slots.state().busy > 0) {
    throw new RequestError(409, 'The engine is serving clients.', { code: 'engine_busy', retryAfterSeconds: 1 })
  }
  const prompt = syntheticPrompt(engine, request.promptTokens)
  for (let run = 0; run < request.warmup; run += 1) await runGroup(engine, prompt, request, signal)
  const repeats: Repeat[] = []
  for (let run = 0; run < request.repeats; run += 1) repeats.push(await runGroup(engine, prompt, request, signal))
  return { repeats }
}

function syntheticPrompt(engine: Engine, length: number): Token[] {
  const piece = engine.model.tokenize(TEXT, false)
  return Array.from({ length }, (_, index) => piece[index % piece.length]).filter((token) => token !== undefined)
}

async function runGroup(
  engine: Engine,
  prompt: readonly Token[],
  request: MeasureRequest,
  signal: AbortSignal,
): Promise<Repeat> {
  const before = engine.slots.acquired()
  const start = now()
  let first = start
  let waiting = request.concurrency
  const stream = (): Promise<number> => {
    let tokens = 0
    return runStream(engine, prompt, request, signal, () => {
      tokens += 1
      if (tokens > 1) return
      waiting -= 1
      if (waiting === 0) first = now()
    }).then(() => tokens)
  }
  const counts = await Promise.all(Array.from({ length: request.concurrency }, stream))
  const end = now()
  return {
    promptSeconds: first.wall - start.wall,
    generateSeconds: end.wall - first.wall,
    wallSeconds: end.wall - start.wall,
    promptCpuSeconds: first.cpu - start.cpu,
    cpuSeconds: end.cpu - first.cpu,
    promptTokens: prompt.length * request.concurrency,
    generatedTokens: counts.reduce((sum, count) => sum + count - 1, 0),
    disturbed: engine.slots.acquired() - before !== request.concurrency,
  }
}

async function runStream(
  engine: Engine,
  prompt: readonly Token[],
  request: MeasureRequest,
  signal: AbortSignal,
  token: () => void,
): Promise<void> {
  const record: OpenRecord = {
    id: '',
    promptTokens: prompt.length,
    cachedTokens: 0,
    completionTokens: 0,
    state: 'queued',
  }
  await engine.run(
    {
      prompt,
      maxTokens: request.generateTokens + 1,
      sampling: { temperature: 0, topP: 1, topK: 0, minP: 0, seed: 0 },
      stop: [],
      stopTokens: new Set(),
      grammar: null,
      synthetic: true,
    },
    record,
    signal,
    { token, text: () => undefined },
  )
  signal.throwIfAborted()
}

/** Seconds of wall clock and of CPU time, all threads of this process. */
function now(): { wall: number; cpu: number } {
  const { user, system } = process.cpuUsage()
  return { wall: performance.now() / 1000, cpu: (user + system) / 1e6 }
}
