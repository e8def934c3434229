import { execFile, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { EngineConfig } from '@medley/serving/protocol'
import { z } from 'zod'
import type { Load, Target } from './load.ts'
import { type BuiltPeers, buildPeers } from './peer-build.ts'

/** Programs of llama.cpp on the very libraries that the engine loads. */
export interface Peers {
  readonly server: Target | null
  /** Tokens per second of all streams: over the whole run, and over its decoding alone. */
  readonly batched: ((load: Load) => Promise<{ total: number; decode: number }>) | null
  stop(): Promise<void>
}

const NO_PEERS: Peers = { server: null, batched: null, stop: async () => undefined }
const READY_TIMEOUT_MS = 120_000

const run = promisify(execFile)
const batchedLine = z.object({ speed_tg: z.number(), t: z.number() })

/** Builds the peers where a compiler is, and starts the server with the engine's own settings; else there are none. */
export async function startPeers(model: string, config: EngineConfig, say: (line: string) => void): Promise<Peers> {
  const built = await buildPeers(say)
  if (built === null) return NO_PEERS
  const settings = [
    ...['--model', model],
    ...['--ctx-size', String(config.slots * config.contextTokens)],
    ...['--threads', String(config.threads), '--threads-batch', String(config.threads)],
    ...['--batch-size', String(config.batchTokens), '--ubatch-size', String(config.batchTokens)],
    ...['--flash-attn', config.flashAttention ? 'on' : 'off'],
  ]
  const server = await startServer(built, [...settings, '--parallel', String(config.slots)])
  return {
    server: { url: server.url, apiKey: 'none', model: 'any', extra: { cache_prompt: false, ignore_eos: true } },
    async batched({ streams, promptTokens, generateTokens }) {
      const load = ['-npp', String(promptTokens), '-ntg', String(generateTokens), '-npl', String(streams)]
      const { stdout } = await run(built.batched, [...settings, ...load, '--output-format', 'jsonl'], {
        cwd: built.libraries,
      })
      const line = stdout.split('\n').find((text) => text.startsWith('{'))
      const { t, speed_tg } = batchedLine.parse(JSON.parse(line ?? 'null'))
      return { total: (streams * generateTokens) / t, decode: speed_tg }
    },
    stop: server.stop,
  }
}

export const noPeers = (): Peers => NO_PEERS

async function startServer({ server: program, libraries }: BuiltPeers, settings: readonly string[]) {
  const port = await freePort()
  const child = spawn(program, [...settings, '--host', '127.0.0.1', '--port', String(port), '--no-ui'], {
    // The kernels are looked for in the working directory.
    cwd: libraries,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr.on('data', (piece) => (log = (log + String(piece)).slice(-4000)))
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }
  const url = `http://127.0.0.1:${port}`
  const deadline = performance.now() + READY_TIMEOUT_MS
  while ((await fetch(`${url}/health`).catch(() => null))?.status !== 200) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) {
      await stop()
      throw new Error(`llama-server did not start:\n${log}`)
    }
    await sleep(200)
  }
  return { url, stop }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
