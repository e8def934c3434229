import type { EngineFacts, EngineSpec } from '@medley/serving/protocol'
import { getLlama, type Llama, LlamaLogLevel, type LlamaModel, NoBinaryFoundError } from 'node-llama-cpp'
import { errors } from '../../errors.ts'
import { createEmbedder, type Embedder } from './embedder.ts'
import { readFacts } from './facts.ts'
import { type Decoder, type FinishReason, type Generation, type GenerationSink, generate } from './generate.ts'
import { createGrammarSource, type GrammarSource } from './grammar.ts'
import { createLedger, type Ledger, type OpenRecord } from './ledger.ts'
import { createPromptBuilder, type PromptBuilder } from './prompt.ts'
import { batchInSlotOrder, createSlotPool, type SlotPool } from './slot-pool.ts'
import { createStepGate } from './step-gate.ts'
import { type BoundedTokenizer, createBoundedTokenizer } from './tokenizer.ts'

/** The loaded model with its slots: everything the HTTP side and the measurements stand on. */
export interface Engine {
  readonly spec: EngineSpec
  readonly model: LlamaModel
  readonly facts: EngineFacts
  readonly tokenizer: BoundedTokenizer
  readonly prompts: PromptBuilder
  readonly grammars: GrammarSource
  readonly embedder: Embedder
  readonly slots: SlotPool
  readonly ledger: Ledger
  /** Waits for a slot and answers on it; the record's state follows. `started` is called once a slot is taken. */
  run(request: Generation, record: OpenRecord, signal: AbortSignal, sink: EngineSink): Promise<FinishReason>
}

export interface EngineSink extends GenerationSink {
  started?(): void
}

/**
 * Loads binary, model and context. Takes seconds, on a busy machine up to half a minute.
 *
 * @throws {AppError} `engine.*` of this package's table.
 */
export async function loadEngine(spec: EngineSpec, onProgress: (progress: number) => void): Promise<Engine> {
  const llama = await loadBinary()
  const model = await loadModel(llama, spec, onProgress)
  const { config, template } = spec
  const tokenizer = createBoundedTokenizer(model)
  const prompts = createPromptBuilder({ model, tokenizer, template, contextTokens: config.contextTokens })
  if (config.contextTokens > model.trainContextSize) {
    throw errors['context.beyond-training']({ asked: config.contextTokens, trained: model.trainContextSize })
  }
  const context = await model
    .createContext({
      sequences: config.slots,
      contextSize: config.contextTokens,
      batchSize: config.batchTokens,
      threads: config.threads,
      flashAttention: config.flashAttention,
      batching: { itemPrioritizationStrategy: batchInSlotOrder },
      // Never a smaller context than the revision says.
      failedCreationRemedy: false,
    })
    .catch((cause: unknown) => {
      const params = { slots: config.slots, tokens: config.contextTokens }
      throw errors['context.failed'](params, { detail: String(cause), cause })
    })
  const slots = createSlotPool(context, config)
  const decoder: Decoder = { model, gate: createStepGate() }
  return {
    spec,
    model,
    facts: await readFacts(llama, model),
    tokenizer,
    prompts,
    grammars: createGrammarSource(llama),
    embedder: createEmbedder(model, config),
    slots,
    ledger: createLedger(),
    run: (request, record, signal, sink) => runOnSlot(decoder, slots, request, record, signal, sink),
  }
}

async function loadBinary(): Promise<Llama> {
  try {
    // Never the defaults: they would fetch and compile llama.cpp when no binary fits.
    return await getLlama({
      gpu: false,
      build: 'never',
      skipDownload: true,
      logLevel: LlamaLogLevel.warn,
      maxThreads: 0,
    })
  } catch (cause) {
    if (!(cause instanceof NoBinaryFoundError)) throw cause
    throw errors['binary.missing']({ platform: `${process.platform}-${process.arch}` }, { cause })
  }
}

async function loadModel(llama: Llama, spec: EngineSpec, onProgress: (progress: number) => void): Promise<LlamaModel> {
  try {
    return await llama.loadModel({ modelPath: spec.modelPath, gpuLayers: 0, onLoadProgress: onProgress })
  } catch (cause) {
    throw errors['model.unreadable']({ path: spec.modelPath }, { detail: String(cause), cause })
  }
}

async function runOnSlot(
  decoder: Decoder,
  slots: SlotPool,
  request: Generation,
  record: OpenRecord,
  signal: AbortSignal,
  sink: EngineSink,
): Promise<FinishReason> {
  let broken = false
  try {
    const slot = await slots.acquire(request.prompt, signal)
    try {
      record.state = 'running'
      sink.started?.()
      const reason = await generate(decoder, slot, request, record, signal, sink)
      record.state = reason === 'aborted' ? 'aborted' : 'completed'
      return reason
    } catch (error) {
      broken = true
      throw error
    } finally {
      await slots.release(slot, broken)
    }
  } catch (error) {
    record.state = signal.aborted ? 'aborted' : 'failed'
    if (signal.aborted) return 'aborted'
    throw error
  }
}
