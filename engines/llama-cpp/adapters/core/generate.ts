import { randomInt } from 'node:crypto'
import {
  type EvaluationPriority,
  type LlamaGrammar,
  LlamaGrammarEvaluationState,
  type LlamaModel,
  type Token,
} from 'node-llama-cpp'
import { createStopDetector } from '../../domain/stop-detector.ts'
import { createTextAssembler } from '../../domain/text-assembler.ts'
import type { OpenRecord } from './ledger.ts'
import type { Slot } from './slot-pool.ts'
import type { StepGate } from './step-gate.ts'

export interface Sampling {
  /** 0 is greedy. */
  readonly temperature: number
  readonly topP: number
  /** 0 switches it off. */
  readonly topK: number
  readonly minP: number
  /** Null draws one, so that equal requests of the same second do not get equal answers. */
  readonly seed: number | null
}

export interface Generation {
  readonly prompt: readonly Token[]
  /** Checked against the context before a slot was taken. */
  readonly maxTokens: number
  readonly sampling: Sampling
  readonly stop: readonly string[]
  readonly stopTokens: ReadonlySet<Token>
  readonly grammar: LlamaGrammar | null
  /** For measurements: no reuse, no speculation, end tokens are tokens like others. */
  readonly synthetic: boolean
}

export interface GenerationSink {
  token?(): void
  text(delta: string): void
}

export type FinishReason = 'stop' | 'length' | 'aborted'

/**
 * Prompt tokens between two looks at the abort signal. Bounds how long an abandoned prompt keeps its slot, and how long
 * a long prompt holds up the answers of others; larger steps have been measured to save no CPU time.
 */
const PROMPT_CHUNK_TOKENS = 128

/** What all sequences of one context share. */
export interface Decoder {
  readonly model: LlamaModel
  readonly gate: StepGate
}

/** Answers one prompt on a slot, counting into the record as it goes. */
export async function generate(
  { model, gate }: Decoder,
  slot: Slot,
  request: Generation,
  record: OpenRecord,
  signal: AbortSignal,
  sink: GenerationSink,
): Promise<FinishReason> {
  const rest = await preparePrompt(gate, slot, request, record, signal)
  if (rest === null) return 'aborted'
  const { sampling } = request
  const tokens = slot.sequence.evaluate(rest, {
    temperature: sampling.temperature,
    topP: sampling.topP,
    topK: sampling.topK,
    minP: sampling.minP,
    seed: sampling.seed ?? randomInt(2 ** 31),
    evaluationPriority: priorityOf(slot),
    yieldEogToken: request.synthetic,
    ...(request.grammar === null
      ? {}
      : { grammarEvaluationState: new LlamaGrammarEvaluationState({ model, grammar: request.grammar }) }),
  })
  return await readAnswer(model, inRounds(gate, tokens), request, record, signal, sink)
}

/** Feeds all of the prompt but its last piece; null when the client went away meanwhile. */
async function preparePrompt(
  gate: StepGate,
  slot: Slot,
  request: Generation,
  record: OpenRecord,
  signal: AbortSignal,
): Promise<Token[] | null> {
  const { sequence, predictor } = slot
  const { prompt } = request
  if (request.synthetic) await sequence.clearHistory()
  // The last token is always evaluated anew: its logits choose the first token of the answer.
  else await sequence.adaptStateToTokens(prompt.slice(0, -1), false)
  record.cachedTokens = sequence.nextTokenIndex
  if (predictor !== null) {
    predictor.enabled = !request.synthetic && request.grammar === null
    predictor.updateInputTokens([...prompt])
  }
  let position = record.cachedTokens
  while (prompt.length - position > PROMPT_CHUNK_TOKENS) {
    if (signal.aborted) return null
    const piece = prompt.slice(position, position + PROMPT_CHUNK_TOKENS)
    await gate.run(() => sequence.evaluateWithoutGeneratingNewTokens(piece, { evaluationPriority: priorityOf(slot) }))
    position += PROMPT_CHUNK_TOKENS
  }
  return signal.aborted ? null : prompt.slice(position)
}

/** The library passes the number through to `batchInSlotOrder` untouched; its own strategies are not in use. */
function priorityOf(slot: Slot): EvaluationPriority {
  return slot.order as EvaluationPriority
}

async function* inRounds(gate: StepGate, tokens: AsyncGenerator<Token, void, undefined>): AsyncGenerator<Token> {
  try {
    for (;;) {
      const next = await gate.run(() => tokens.next())
      if (next.done === true) return
      yield next.value
    }
  } finally {
    await tokens.return()
  }
}

async function readAnswer(
  model: LlamaModel,
  tokens: AsyncIterable<Token>,
  request: Generation,
  record: OpenRecord,
  signal: AbortSignal,
  sink: GenerationSink,
): Promise<FinishReason> {
  const assembler = createTextAssembler<Token>(
    (window, before) => model.detokenize(window, false, before),
    request.prompt.slice(-4),
  )
  const detector = createStopDetector(request.stop)
  const send = (text: string): boolean => {
    const outcome = detector.push(text)
    if (outcome.text !== '') sink.text(outcome.text)
    return outcome.stopped
  }
  for await (const token of tokens) {
    if (signal.aborted) return 'aborted'
    if (request.stopTokens.has(token) && !request.synthetic) break
    record.completionTokens += 1
    sink.token?.()
    if (send(assembler.push(token))) return 'stop'
    if (record.completionTokens >= request.maxTokens) {
      finish()
      return 'length'
    }
  }
  if (signal.aborted) return 'aborted'
  finish()
  return 'stop'

  /** At the end nothing can grow into a stop string or a whole character any more. */
  function finish(): void {
    if (send(assembler.flush())) return
    const rest = detector.flush()
    if (rest !== '') sink.text(rest)
  }
}
