import type { DirectEngine } from './direct.ts'
import { type SeenStream, streamCompletion, type Target } from './load.ts'
import type { Peers } from './peers.ts'
import { storyPrompt } from './prompts.ts'

/** One stream: a prompt worth measuring, then enough steps to measure decoding. */
export const SINGLE = { promptTokens: 256, generateTokens: 128 }
/** Eight streams at once, as llama-batched-bench is given them too. */
export const EIGHT = { streams: 8, promptTokens: 64, generateTokens: 64 }

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
 */
export async function runRounds(subjects: Subjects, rounds: number, say: (line: string) => void): Promise<Samples> {
  const samples: Samples = {}
  const prompts = promptSource()
  for (let round = 0; round <= rounds; round += 1) {
    say(round === 0 ? 'warming up' : `round ${round} of ${rounds}`)
    const pair = await singlePair(subjects, prompts, round % 2 === 0)
    const turns = round % 2 === 0 ? eightTurns(subjects, prompts) : eightTurns(subjects, prompts).reverse()
    const rates: Record<string, number> = { ...pair }
    for (const turn of turns) Object.assign(rates, await turn())
    if (round === 0) continue
    for (const [name, rate] of Object.entries(rates)) samples[name] = [...(samples[name] ?? []), rate]
  }
  return samples
}

type PromptSource = (tokens: number) => string

function promptSource(): PromptSource {
  let index = 0
  return (tokens) => {
    index += 1
    return storyPrompt(index, tokens)
  }
}

/** Both sides process as many prompt tokens and decode as many steps at the same depth. */
async function singlePair({ gateway, engine }: Subjects, prompts: PromptSource, gatewayFirst: boolean) {
  const seen = async () => (await streams(gateway, 1, SINGLE, prompts))[0] ?? missing()
  const own = (promptTokens: number) =>
    engine.measure({ promptTokens, generateTokens: SINGLE.generateTokens - 1, concurrency: 1 })
  const before = gatewayFirst ? null : await own(SINGLE.promptTokens)
  const stream = await seen()
  const run = before ?? (await own(stream.promptTokens))
  return {
    promptGateway: stream.promptTokens / (stream.firstTokenAt - stream.startedAt),
    promptDirect: run.promptTokens / run.promptSeconds,
    generationGateway: (stream.completionTokens - 1) / (stream.lastTokenAt - stream.firstTokenAt),
    generationDirect: run.generatedTokens / run.generateSeconds,
  }
}

/** Totals: generated tokens of all streams over the time from the first request to the last byte, prompts included. */
function eightTurns({ gateway, engine, peers }: Subjects, prompts: PromptSource) {
  const { streams: concurrency, promptTokens, generateTokens } = EIGHT
  const overHttp = async (target: Target) => totalRate(await streams(target, concurrency, EIGHT, prompts))
  return [
    async () => ({ eightGateway: await overHttp(gateway) }),
    async () => {
      const run = await engine.measure({ promptTokens, generateTokens: generateTokens - 1, concurrency })
      return {
        eightDirect: (run.generatedTokens + concurrency) / run.wallSeconds,
        eightDirectDecode: run.generatedTokens / run.generateSeconds,
      }
    },
    async () => (peers.server === null ? {} : { eightServer: await overHttp(peers.server) }),
    async () => {
      const run = await peers.batched?.(EIGHT)
      return run === undefined ? {} : { eightBatched: run.total, eightBatchedDecode: run.decode }
    },
  ]
}

async function streams(
  target: Target,
  count: number,
  { promptTokens, generateTokens }: { promptTokens: number; generateTokens: number },
  prompts: PromptSource,
): Promise<SeenStream[]> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const texts = Array.from({ length: count }, () => prompts(promptTokens))
    const seen = await Promise.all(texts.map((text) => streamCompletion(target, text, generateTokens)))
    if (seen.every(({ completionTokens }) => completionTokens === generateTokens)) return seen
  }
  throw new Error(`${target.url} ended its answers early ${TRIES} times`)
}

function totalRate(seen: readonly SeenStream[]): number {
  const start = Math.min(...seen.map(({ startedAt }) => startedAt))
  const end = Math.max(...seen.map(({ endedAt }) => endedAt))
  return seen.reduce((sum, { completionTokens }) => sum + completionTokens, 0) / (end - start)
}

function missing(): never {
  throw new Error('no stream')
}
