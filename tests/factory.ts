import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { starterModel } from '@medley/testkit'

export interface RunningFactory {
  readonly data: string
  readonly port: number
  readonly consoleUrl: string
  readonly gatewayUrl: string
  readonly signInLink: string
  readonly apiKey: string
  /** What the terminal showed so far. */
  readonly output: () => string
  readonly process: ChildProcess
  /** Kills `up` itself without a chance to clean up, then starts it again on the same data. */
  crash(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface FactoryOptions {
  readonly data?: string
  readonly env?: NodeJS.ProcessEnv
  readonly args?: readonly string[]
}

const CLI = fileURLToPath(new URL('../apps/cli/main.ts', import.meta.url))
const READY_TIMEOUT_MS = 240_000

/** Starts a whole factory as a user would, on free ports and its own data directory, and waits until it is ready. */
export async function startFactory(options: FactoryOptions = {}): Promise<RunningFactory> {
  const data = options.data ?? (await mkdtemp(join(tmpdir(), 'medley-factory-')))
  const port = await freePortPair()
  const model = await starterModel()
  let output = ''
  let child: ChildProcess

  const launch = () => {
    child = spawn(process.execPath, [CLI, 'up', '--data', data, '--port', String(port), ...(options.args ?? [])], {
      env: { ...process.env, CI: 'true', MEDLEY_STARTER_MODEL: model, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stdout?.on('data', (piece) => (output += piece))
    child.stderr?.on('data', (piece) => (output += piece))
  }
  const untilReady = async (from: number) => {
    const deadline = performance.now() + READY_TIMEOUT_MS
    while (!/Stop with Ctrl-C/.test(output.slice(from))) {
      const ended = child.exitCode !== null || child.signalCode !== null
      if (ended || performance.now() > deadline) {
        child.kill('SIGTERM')
        throw new Error(`the factory did not become ready:\n${output}`)
      }
      await sleep(100)
    }
  }
  const exited = () =>
    new Promise<void>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) resolve()
      else child.once('exit', () => resolve())
    })

  launch()
  await untilReady(0)
  const [signInLink, apiKey] = [
    /http\S+\/sign-in#token=\S+/.exec(output)?.[0],
    /mk_[0-9A-Za-z]+_[0-9A-Za-z]+/.exec(output)?.[0],
  ]

  return {
    data,
    port,
    consoleUrl: `http://127.0.0.1:${port}`,
    gatewayUrl: `http://127.0.0.1:${port + 1}`,
    signInLink: signInLink ?? '',
    apiKey: apiKey ?? '',
    output: () => output,
    get process() {
      return child
    },
    async crash() {
      child.kill('SIGKILL')
      await exited()
    },
    async restart() {
      const from = output.length
      launch()
      await untilReady(from)
    },
    async stop() {
      child.kill('SIGTERM')
      await exited()
      if (!options.data) await rm(data, { recursive: true, force: true })
    },
  }
}

/** A port whose successor is free as well: console and gateway. */
export async function freePortPair(): Promise<number> {
  for (;;) {
    const port = await listenOnce(0)
    if (port !== null && port < 65_534 && (await listenOnce(port + 1)) !== null) return port
  }
}

function listenOnce(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : null))
    })
  })
}
