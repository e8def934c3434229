import { startFactory } from '../../tests/factory.ts'
import { type BenchRow, barRow, reportedRow } from '../bench-row.ts'
import { probeRows } from '../probe/probe-rows.ts'
import { runBench } from '../run-bench.ts'
import { findEngine } from './direct.ts'
import { noPeers, startPeers } from './peers.ts'
import { EIGHT, runRounds, type Samples, SINGLE } from './rounds.ts'

const MODEL = 'smollm2-135m-instruct'
const FULL = { rounds: 5, limitSeconds: Number.POSITIVE_INFINITY }
/** Leaves the start of the factory and the probe their part of five minutes, on a busy machine too. */
const QUICK = { rounds: 3, limitSeconds: 90 }

await runBench('engine', async ({ quick, say }) => {
  say('starting a factory')
  const factory = await startFactory({ args: ['--no-proving'] })
  try {
    const engine = await findEngine(factory.data, MODEL)
    const { facts } = await engine.health()
    const peers = quick ? noPeers() : await startPeers(engine.spec.modelPath, engine.spec.config, say)
    const gateway = { url: factory.gatewayUrl, apiKey: factory.apiKey, model: MODEL, extra: {} }
    const { rounds, limitSeconds } = quick ? QUICK : FULL
    const samples = await runRounds({ gateway, engine, peers }, rounds, limitSeconds, say).finally(peers.stop)
    // The probe has the machine to itself.
    await factory.stop()
    say('holding the probe against C programs')
    return {
      rows: [...engineRows(samples), ...(await probeRows({ quick }))],
      samples,
      facts: {
        engine: facts && { version: facts.engineVersion, variant: facts.binaryVariant, digest: facts.binaryDigest },
        config: engine.spec.config,
        model: { name: MODEL, digest: engine.spec.modelDigest },
      },
    }
  } finally {
    await factory.stop()
  }
})

function engineRows(samples: Samples): BenchRow[] {
  const row = (name: string, value: string, anchorValue: string, anchor: string) => ({
    name,
    value: median(samples[value] ?? []) ?? missing(value),
    unit: 'tokens/s',
    anchor,
    anchorValue: median(samples[anchorValue] ?? []),
  })
  const { promptTokens, generateTokens } = SINGLE
  const eight = `${EIGHT.streams} x (${EIGHT.promptTokens} in, ${EIGHT.generateTokens} out)`
  const same = 'on the same libraries and settings'
  return [
    barRow(row('prompt_single', 'promptGateway', 'promptDirect', `same child without HTTP, ${promptTokens} in`), 0.95),
    barRow(
      row(
        'generation_single',
        'generationGateway',
        'generationDirect',
        `same child without HTTP, ${generateTokens} out`,
      ),
      0.9,
    ),
    barRow(row('generation_8_direct', 'eightGateway', 'eightDirect', `same child without HTTP, ${eight}`), 0.85),
    reportedRow(row('generation_8_llama_server', 'eightGateway', 'eightServer', `llama-server ${same}, ${eight}`)),
    reportedRow(
      row('generation_8_llama_batched', 'eightGateway', 'eightBatched', `llama-batched-bench ${same}, ${eight}`),
    ),
    reportedRow(
      row(
        'decode_8_llama_batched',
        'eightDirectDecode',
        'eightBatchedDecode',
        'the child without HTTP, decoding alone',
      ),
    ),
  ]
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((left, right) => left - right)
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
  return low === undefined || high === undefined ? null : (low + high) / 2
}

function missing(name: string): never {
  throw new Error(`no round measured ${name}`)
}
