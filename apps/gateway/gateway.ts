import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { type Clock, createIdFactory } from '@medley/kernel'
import type { GatewayConfig, GatewaySecrets } from './config.ts'
import { createControlPlane } from './control/control-plane.ts'
import { createDirectory, type Directory } from './control/directory.ts'
import { SnapshotFollower } from './control/snapshot-follower.ts'
import { Journal } from './journal/journal.ts'
import { readShipped, Shipper } from './journal/shipper.ts'
import type { Log } from './log.ts'
import { answerClientErrors } from './proxy/client-error.ts'
import { ReplicaPool } from './proxy/replica-pool.ts'
import { createRouter } from './proxy/router.ts'
import { createUpstream } from './proxy/upstream.ts'

export interface Gateway {
  readonly port: number
  /** Stops accepting, lets running answers end within the drain time, and brings the journal to rest. */
  drain(): Promise<void>
}

export interface GatewayOptions {
  readonly config: GatewayConfig
  readonly secrets: GatewaySecrets
  readonly clock: Clock
  readonly log: Log
}

const DELIVERY_TIMEOUT_MS = 30_000
/** What the last records may take on their way to the server at a stop; the rest is sent by the next worker. */
const LAST_DELIVERY_MS = 2000
/** A predecessor that still drains holds the journal for its drain time and a little more. */
const LOCK_GRACE_MS = 10_000
const KEEP_ALIVE_MS = 75_000
/** Between two looks at connections whose headers take too long. */
const LONGEST_LOOK_MS = 5_000

/** @throws {Error} when the journal is held by another worker, or the port is taken. */
export async function startGateway({ config, secrets, clock, log }: GatewayOptions): Promise<Gateway> {
  const journalDirectory = join(config.dataDirectory, 'journal')
  const drainMs = config.drainSeconds * 1000
  const journal = await Journal.open({
    directory: journalDirectory,
    segmentBytes: config.segmentBytes,
    syncDelayMs: config.syncDelayMs,
    lockWaitMs: drainMs + LOCK_GRACE_MS,
    lastKnownSegment: () => readShipped(journalDirectory).segment,
    clock,
    log,
  })
  const controlPlane = createControlPlane(config.serverUrl, secrets.internalToken)
  const shipper = new Shipper({
    directory: journalDirectory,
    journal,
    delayMs: config.shipDelayMs,
    deliver: async (body, signal) => {
      const call = { method: 'POST', path: '/internal/usage', body, timeoutMs: DELIVERY_TIMEOUT_MS, signal } as const
      const { status } = await controlPlane.call(call)
      if (status !== 200) throw new Error(`the server answered ${status}`)
    },
    log,
  })
  journal.onRecord = () => shipper.wake()
  const upstream = createUpstream()
  const pool = new ReplicaPool({ ...config, isHealthy: upstream.isHealthy })
  let directory: Directory | null = null
  const follower = new SnapshotFollower({
    directory: config.dataDirectory,
    controlPlane,
    waitMs: config.snapshotWaitMs,
    onSnapshot: (snapshot) => {
      directory = createDirectory(snapshot, secrets.pepper)
      pool.replace(snapshot.routes)
    },
    log,
  })
  const ids = createIdFactory(clock, (size) => randomBytes(size))
  const router = createRouter({
    ids,
    inference: { ...config, pool, upstream, directory: () => directory },
    journal,
    clock,
    log,
    deliveredRecords: () => shipper.delivered,
  })
  const { headersTimeoutMs: headersTimeout, bodyTimeoutMs } = config
  const server = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      noDelay: true,
      requireHostHeader: false,
      headersTimeout,
      connectionsCheckingInterval: Math.min(headersTimeout, LONGEST_LOOK_MS),
      // Slow bodies are refused by who reads them, with a record; this is for those that nobody reads.
      requestTimeout: headersTimeout + 2 * bodyTimeoutMs,
    },
    router.handle,
  )
  answerClientErrors(server, ids)
  follower.start()
  shipper.start()
  const close = async () => {
    await follower.stop()
    await shipper.stop(LAST_DELIVERY_MS)
    pool.close()
    upstream.close()
    controlPlane.close()
    journal.close()
  }
  const port = await listen(server, config.listen).catch(async (error: unknown) => {
    await close()
    throw error
  })
  return {
    port,
    drain: async () => {
      router.startDraining()
      const closed = new Promise((resolve) => server.close(resolve))
      await router.whenIdle(drainMs)
      server.closeAllConnections()
      await closed
      await close()
    },
  }
}

function listen(server: Server, { host, port }: GatewayConfig['listen']): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
