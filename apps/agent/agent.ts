import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { claimDirectory, createLocalExecutor } from '@medley/executor-local'
import type { ChipDriver, DriverHost } from '@medley/fleet'
import type { EngineBuild, NodeFacts } from '@medley/fleet/protocol'
import type { AgentConfig } from './config.ts'
import { startChipReader } from './discovery/chips.ts'
import { createDriverHost } from './discovery/host.ts'
import { loadNodeKey, loadOrders, saveOrders } from './state-files.ts'
import { startSyncLoop } from './sync/loop.ts'
import { createServerClient } from './sync/server-client.ts'
import { errorOf, messageOf, type WorkloadDeps } from './workloads/managed.ts'
import { createReconciler } from './workloads/reconciler.ts'

const AGENT_VERSION = '0.1.0'

export interface AgentParts {
  readonly drivers: readonly ChipDriver[]
  readonly adapters: WorkloadDeps['adapters']
  readonly prove: WorkloadDeps['prove']
  readonly log: WorkloadDeps['log']
  /** After the first answer of the server. */
  readonly onFirstSync: () => void
  readonly host?: DriverHost
}

export interface Agent {
  /** Stops all engines gracefully, then the agent. */
  drain(): Promise<void>
  /** Stops the agent and leaves engines running for its successor to adopt. */
  release(): void
}

/** The process on each node: reads its chips, runs what the server wants here, and tells both. */
export async function startAgent(config: AgentConfig, parts: AgentParts): Promise<Agent> {
  const { limits } = config
  const stateDirectory = path.join(config.dataDirectory, 'agent')
  const workDirectory = path.join(config.runDirectory, 'w')
  const heartbeatFile = path.join(config.runDirectory, 'heartbeat')
  const predecessor = await claimDirectory(config.runDirectory)
  if (predecessor !== null) parts.log('predecessor ended', { pid: predecessor })
  await mkdir(workDirectory, { recursive: true, mode: 0o700 })
  const nodeKey = await loadNodeKey(stateDirectory)
  const bootId = randomUUID()
  const stopHeart = await startHeartbeat(heartbeatFile, limits.heartbeatMs)

  let changed: () => void = () => undefined
  const reconciler = createReconciler(
    {
      executor: createLocalExecutor(),
      adapters: parts.adapters,
      prove: parts.prove,
      limits,
      heartbeatFile,
      clock: { now: () => Date.now() },
      log: parts.log,
      onChange: () => changed(),
    },
    workDirectory,
  )
  const kept = await loadOrders(stateDirectory)
  if (kept) reconciler.apply(kept.workloads)

  const chipReader = startChipReader({
    host: parts.host ?? createDriverHost({ scratchDirectory: path.join(config.runDirectory, 'tools') }),
    drivers: parts.drivers,
    intervalMs: limits.chipsIntervalMs,
    onBroken: (driver, error) => parts.log('driver broken', { driver, message: messageOf(error) }),
    onChange: () => changed(),
  })
  const [engines] = await Promise.all([enginesOf(parts), chipReader.first, reconciler.settled()])

  const loop = startSyncLoop({
    client: createServerClient(config.serverUrl, config.tokenFile),
    waitMs: limits.waitMs,
    backoffMaxMs: limits.serverBackoffMaxMs,
    report: (sync) => ({
      nodeKey,
      bootId,
      facts: nodeFacts(engines),
      chips: [...chipReader.chips()],
      workloads: [...reconciler.statuses()],
      ...sync,
    }),
    onOrders: async (orders, first) => {
      reconciler.apply(orders.workloads)
      await saveOrders(stateDirectory, orders)
      if (!first) return
      void reconciler.reap().catch((error: unknown) => parts.log('reaping failed', { error: errorOf(error) }))
      parts.onFirstSync()
    },
    onTrouble: (error, failures) => {
      // Once, then rarely: a server that is away for a night must not fill the disk.
      if (failures === 1 || failures % 60 === 0)
        parts.log('server not reached', { message: messageOf(error), failures })
    },
  })
  changed = loop.changed

  const stop = (): void => {
    chipReader.stop()
    stopHeart()
  }
  return {
    drain: async () => {
      // First of all: further orders would start again what is being stopped.
      loop.stop()
      await reconciler.drain()
      stop()
    },
    release: () => {
      loop.stop()
      stop()
      reconciler.release()
    },
  }
}

/** Engines end themselves when this file has not been touched for ten minutes: nobody would ever adopt them. */
async function startHeartbeat(file: string, everyMs: number): Promise<() => void> {
  const beat = (): Promise<void> => writeFile(file, `${Date.now()}\n`, { mode: 0o600 })
  await beat()
  const timer = setInterval(() => void beat().catch(() => undefined), everyMs)
  return () => clearInterval(timer)
}

/** A family whose build cannot be read is not offered: nothing could be traced to it. */
async function enginesOf({ adapters, log }: AgentParts): Promise<EngineBuild[]> {
  const builds = await Promise.all(
    [...adapters].map(async ([family, adapter]): Promise<EngineBuild | null> => {
      try {
        return { family, ...(await adapter.version()) }
      } catch (error) {
        log('engine not offered', { family, message: messageOf(error) })
        return null
      }
    }),
  )
  return builds.filter((build) => build !== null)
}

function nodeFacts(engines: EngineBuild[]): NodeFacts {
  return {
    hostname: os.hostname(),
    operatingSystem: `${os.type()} ${os.platform()}`,
    kernel: os.release(),
    architecture: os.arch(),
    cpuCount: os.cpus().length,
    memoryBytes: os.totalmem(),
    agentVersion: AGENT_VERSION,
    nodeVersion: process.versions.node,
    engines,
  }
}
