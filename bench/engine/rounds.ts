import type { DirectEngine, DirectRun } from './direct.ts'
import { type Load, type SeenStream, streamCompletion, type Target } from './load.ts'
import type { Peers } from './peers.ts'
import { storyPrompt } from './prompts.ts'

/** One stream: a prompt worth measuring, then enough steps to measure decoding. */
export const SINGLE: Load = { streams: 1, promptTokens: 240, generateTokens: 128 }
/** Eight streams at once, as llama-batched-bench is given them too. */
export const EIGHT: Load = { streams: 8, promptTokens: 64, generateTokens: 64 }

/** Rates in tokens per second, one per round. */
export type Samples = Record<string, number[]>

export interface Subjects {
  readonly gateway: Target
  readonly engine: DirectEngine
  readonly peers: Peers
}

/** An answer that the model ended early has other work in it than its anchor: another prompt is tried. */
const TRIES = 5

/**
 * Measures every subject in turn in each round, the first of one round last in the next, so that a busy moment of the
 * machine and the order of the turns favour nobody. The first round warms up and is not counted.
 *
 * @param limitSeconds No round begins after this time, once there is one.
 */
export async function runRounds(
  subjects: Subjects,
  rounds: number,
  limitSeconds: number,
  say: (line: string) => void,
): Promise<Samples> {
  const deadline = performance.now() + limitSeconds * 1000
  const samples: Samples = {}
  const turns = createTurns(subjects)
  for (let round = 0; round <= rounds; round += 1) {
    if (round > 1 && performance.now() > deadline) break
    say(round === 0 ? 'warming up' : `round ${round} of ${rounds}`)
    for (const turn of round % 2 === 0 ? turns : [...turns].reverse()) {
      for (const [name, rate] of Object.entries(await turn())) {
        if (round > 0) samples[name] = [...(samples[name] ?? []), rate]
      }
    }
  }
  return samples
}

type Turn = () => Promise<Record<string, number>>

/** Each anchor processes as many prompt tokens as the gateway's last streams of that load, and decodes as deep. */
function createTurns({ gateway, engine, peers }: Subjects): readonly Turn[] {
  const nextPrompt = promptSource()
  let [single, eight] = [SINGLE, EIGHT]
  const { batched, server } = peers
  return [
    async () => {
      const seen = await answersOf(gateway, SINGLE, nextPrompt)
      single = withPromptsOf(SINGLE, seen)
      const stream = seen[0] ?? missing()
      return {
        promptGateway: stream.promptTokens / (stream.firstTokenAt - stream.startedAt),
        generationGateway: (stream.completionTokens - 1) / (stream.lastTokenAt - stream.firstTokenAt),
      }
    },
    async () => {
      const run = await direct(engine, single)
      return {
        promptDirect: run.promptTokens / run.promptSeconds,
        generationDirect: run.generatedTokens / run.generateSeconds,
      }
    },
    async () => {
      const seen = await answersOf(gateway, EIGHT, nextPrompt)
      eight = withPromptsOf(EIGHT, seen)
      return { eightGateway: totalRate(seen) }
    },
    async () => {
      const run = await direct(engine, eight)
      return {
        eightDirect: (run.generatedTokens + eight.streams) / run.wallSeconds,
        eightDirectDecode: run.generatedTokens / run.generateSeconds,
      }
    },
    async () => (server === null ? {} : { eightServer: totalRate(await answersOf(server, EIGHT, nextPrompt)) }),
    async () => {
      if (batched === null) return {}
      const run = await batched(eight)
      return { eightBatched: run.total, eightBatchedDecode: run.decode }
    },
  ]
}

function promptSource(): (tokens: number) => string {
  let index = 0
  return (tokens) => {
    index += 1
    return storyPrompt(index, tokens)
  }
}

/** The first token falls out of the prompt's last step, so decoding has one step less than there are tokens. */
function direct(engine: DirectEngine, { streams, promptTokens, generateTokens }: Load): Promise<DirectRun> {
  return engine.measure({ promptTokens, generateTokens: generateTokens - 1, concurrency: streams })
}

function withPromptsOf(load: Load, seen: readonly SeenStream[]): Load {
  const total = seen.reduce((sum, { promptTokens }) => sum + promptTokens, 0)
  return { ...load, promptTokens: Math.round(total / seen.length) }
}

async function answersOf(target: Target, load: Load, nextPrompt: (tokens: number) => string): Promise<SeenStream[]> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const prompts = Array.from({ length: load.streams }, () => nextPrompt(load.promptTokens))
    const seen = await Promise.all(prompts.map((text) => streamCompletion(target, text, load.generateTokens)))
    if (seen.every(({ completionTokens }) => completionTokens === load.generateTokens)) return seen
  }
  throw new Error(`${target.url} ended its answers early ${TRIES} times`)
}

/** Of all streams, over the time from the first request to the last byte, prompts included. */
function totalRate(seen: readonly SeenStream[]): number {
  const start = Math.min(...seen.map(({ startedAt }) => startedAt))
  const end = Math.max(...seen.map(({ endedAt }) => endedAt))
  return seen.reduce((sum, { completionTokens }) => sum + completionTokens, 0) / (end - start)
}

function missing(): never {
  throw new Error('no stream')
}
