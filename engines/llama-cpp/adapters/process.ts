import { readFileSync } from 'node:fs'
import { chmod, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { AppError, type ErrorParams } from '@medley/kernel'
import { type EngineSpec, engineSpec } from '@medley/serving/protocol'
import { errors } from '../errors.ts'
import type { EngineHealth } from '../protocol.ts'
import { type Engine, loadEngine } from './core/engine.ts'
import { checkGolden } from './core/golden.ts'
import { createEngineServer } from './http/server.ts'
import { watchForOrphanage } from './orphan-watch.ts'

/** How long running answers may take after SIGTERM. */
const DRAIN_MS = 30_000
const DRAIN_POLL_MS = 50
/** The agent's rule, see its README: it beats every 5 s. */
const HEARTBEAT_STALE_MS = 10 * 60_000
const HEARTBEAT_LOOK_MS = 30_000

export interface EngineProcessOptions {
  readonly specPath: string
  readonly socketPath: string
  /** Null where nobody beats: the engine then runs until it is told to stop. */
  readonly heartbeatFile: string | null
}

/**
 * Runs one engine on one socket until SIGTERM or SIGINT, or until no agent has been there for ten minutes. It does not
 * watch its parent: an agent may be restarted or updated under it.
 *
 * @throws {AppError} `engine.socket.taken` when another process answers on the socket.
 */
export async function runEngineProcess(options: EngineProcessOptions): Promise<void> {
  const { specPath, socketPath, heartbeatFile } = options
  const status = createStatus()
  const server = createEngineServer(status)
  await listen(server, socketPath)
  const stop = (): void => void drain(status, server, socketPath)
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  if (heartbeatFile !== null) {
    watchForOrphanage({
      heartbeatFile,
      staleMs: HEARTBEAT_STALE_MS,
      everyMs: HEARTBEAT_LOOK_MS,
      onOrphaned() {
        console.error('no agent for ten minutes: ending')
        stop()
      },
    })
  }
  try {
    await start(status, readSpec(specPath))
  } catch (error) {
    status.fail(error)
  }
}

function createStatus() {
  let engine: Engine | null = null
  let state: EngineHealth['state'] = 'starting'
  let progress = 0
  let failure: EngineHealth['error'] = null
  let facts: EngineHealth['facts'] = null
  return {
    engine: () => engine,
    health: (): EngineHealth => ({
      state,
      progress,
      error: failure,
      facts,
      slots: engine?.slots.state() ?? { total: 0, busy: 0, queued: 0 },
    }),
    progressed(value: number) {
      progress = value
    },
    loaded(loaded: Engine) {
      engine = loaded
      facts = loaded.facts
      if (state === 'starting') state = 'checking'
    },
    ready(goldenAnswer: string | null) {
      if (facts !== null) facts = { ...facts, goldenAnswer }
      if (state === 'checking') state = 'ready'
    },
    fail(error: unknown) {
      console.error('engine failed:', error instanceof AppError ? error.message : error)
      const params: ErrorParams = error instanceof AppError ? error.params : { reason: String(error) }
      failure = { code: error instanceof AppError ? error.code : 'engine.failed', params }
      state = 'failed'
    },
    drain() {
      const first = state !== 'draining'
      state = 'draining'
      engine?.slots.close()
      return first
    },
  }
}

type Status = ReturnType<typeof createStatus>

async function start(status: Status, spec: EngineSpec): Promise<void> {
  const engine = await loadEngine(spec, status.progressed)
  status.loaded(engine)
  status.ready(spec.golden === null ? null : await checkGolden(engine, spec.golden))
}

/** @throws {AppError} `engine.spec.invalid` naming the field. */
function readSpec(path: string): EngineSpec {
  try {
    return engineSpec.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    throw errors['spec.invalid']({ path }, { detail: String(cause), cause })
  }
}

/** Takes over the socket file of a killed predecessor, but never that of a living one. */
async function listen(server: Server, socketPath: string): Promise<void> {
  if (await answers(socketPath)) throw errors['socket.taken']({ path: socketPath })
  await rm(socketPath, { force: true })
  // Between bind and chmod nobody else may connect either.
  process.umask(0o077)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketPath, resolve)
  })
  await chmod(socketPath, 0o600)
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** New requests get 503 with Retry-After while the running answers end; a second signal changes nothing. */
async function drain(status: Status, server: Server, socketPath: string): Promise<void> {
  if (!status.drain()) return
  const deadline = Date.now() + DRAIN_MS
  while (status.health().slots.busy > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS))
  }
  // Ends idle connections and waits for the last bytes of the others; closing also removes the socket file.
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 1000).unref())])
  await rm(socketPath, { force: true })
  process.exit(0)
}
