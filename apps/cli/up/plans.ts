import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CliError } from '../cli-error.ts'
import { consolePath, entryPath } from '../entries.ts'
import { type DataPaths, httpUrl } from '../settings.ts'
import { writeAtomically } from './lock.ts'
import type { ChildPlan } from './supervisor.ts'

export interface UpOptions {
  readonly host: string
  readonly port: number
  readonly gatewayPort: number
  readonly version: string
  readonly starterModel: string | null
  readonly starterFile: string | null
  /** Whether a chip that has no score yet is measured at start. */
  readonly prove: boolean
  readonly drainSeconds: number
  /** How often agents are asked for readings. */
  readonly sampleIntervalMs: number
  /** Whether a program reads what is shown. */
  readonly json: boolean
}

export type StoreConfig =
  | { readonly kind: 'embedded'; readonly connection: Readonly<Record<string, string | number>> }
  | { readonly kind: 'external' }

const READY_TIMEOUT_MS = 120_000

/**
 * Where sockets of engines lie. Short, because the path of a unix socket may have 107 bytes at most, and the same
 * at each start, so that running engines are found again.
 */
export function runDirectory(data: string): string {
  const name = `medley-${createHash('sha256').update(data).digest('hex').slice(0, 10)}`
  const directory = join(process.platform === 'win32' ? tmpdir() : '/tmp', name)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  // The folder above is everybody's: somebody else may have made this one first.
  const { uid, mode } = lstatSync(directory)
  if (process.getuid && (uid !== process.getuid() || (mode & 0o077) !== 0)) {
    throw new CliError(1, `${directory} belongs to another user or is open to others: remove it and start again`)
  }
  return directory
}

/** Where the agent keeps what it runs, one folder each. */
export function engineDirectory(data: string): string {
  return join(runDirectory(data), 'w')
}

/** Secrets stay out of these environments and argument lists: each process reads them from the instance's files. */
export function processPlans(files: DataPaths, options: UpOptions, store: StoreConfig) {
  const { host, port, gatewayPort } = options
  const consoleUrl = httpUrl(host, port)
  const gatewayUrl = httpUrl(host, gatewayPort)
  const configure = (name: string, content: unknown) => {
    const file = join(files.run, `${name}.json`)
    writeAtomically(file, JSON.stringify(content, null, 2))
    return file
  }
  const server = configure('server', {
    version: options.version,
    listen: { host, port },
    consoleUrl,
    gatewayUrl,
    dataDirectory: files.data,
    consoleDirectory: consolePath(),
    store,
    fleet: { sampleIntervalMs: options.sampleIntervalMs },
    starter: {
      model: options.starterModel,
      file: options.starterFile,
      prove: options.prove,
    },
  })
  const gateway = configure('gateway', {
    listen: { host, port: gatewayPort },
    dataDirectory: files.gateway,
    serverUrl: consoleUrl,
    secretsFile: files.secrets,
    worker: 0,
    drainSeconds: options.drainSeconds,
  })
  const agent = configure('agent', {
    dataDirectory: files.agent,
    runDirectory: runDirectory(files.data),
    serverUrl: consoleUrl,
    tokenFile: files.secrets,
    driversDirectory: join(files.data, 'drivers.d'),
    // Engines have as long as the gateway to finish what they answer.
    limits: { stopGraceMs: Math.max(1, options.drainSeconds * 1000) },
  })
  const plan = (name: 'server' | 'gateway' | 'agent', variable: string, file: string, heapMb: number): ChildPlan => ({
    name,
    command: process.execPath,
    // Small young generations: these processes idle most of the time and share one machine with the engines.
    args: ['--enable-source-maps', `--max-old-space-size=${heapMb}`, '--max-semi-space-size=4', entryPath(name)],
    env: { ...process.env, [variable]: file, ...(name === 'server' ? {} : { DATABASE_URL: undefined }) },
    cwd: '/',
    ready: 'message',
    readyTimeoutMs: READY_TIMEOUT_MS,
    stopBy: name === 'agent' ? 'message' : 'SIGTERM',
    stopTimeoutMs: (options.drainSeconds + 15) * 1000,
  })
  return {
    consoleUrl,
    gatewayUrl,
    server: plan('server', 'MEDLEY_SERVER_CONFIG', server, 1024),
    gateway: plan('gateway', 'MEDLEY_GATEWAY_CONFIG', gateway, 512),
    agent: plan('agent', 'MEDLEY_AGENT_CONFIG', agent, 512),
  }
}
