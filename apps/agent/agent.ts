import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { AgentUpgrade } from '@medley/enrolment/protocol'
import { claimDirectory, createLocalExecutor } from '@medley/executor-local'
import type { ChipDriver, DriverHost } from '@medley/fleet'
import type { EngineBuild, NodeFacts, NodeHardware } from '@medley/fleet/protocol'
import { AppError } from '@medley/kernel'
import type { AgentConfig } from './config.ts'
import { createChangeLog } from './discovery/changes.ts'
import { startChipReader } from './discovery/chips.ts'
import { startHardwareReader } from './discovery/hardware.ts'
import { createDriverHost } from './discovery/host.ts'
import { openIdentity } from './enrolment/identity.ts'
import { loadOrders, saveOrders } from './state-files.ts'
import { openChannel } from './sync/channel.ts'
import { startSyncLoop } from './sync/loop.ts'
import { loadTelemetryState, saveTelemetryState, startTelemetry } from './telemetry/telemetry.ts'
import { AGENT_VERSION } from './version.ts'
import { errorOf, messageOf, type WorkloadDeps } from './workloads/managed.ts'
import { createReconciler } from './workloads/reconciler.ts'

/** Cables are pulled and disks are swapped now and then. */
const HARDWARE_INTERVAL_MS = 60_000

export interface AgentParts {
  readonly drivers: readonly ChipDriver[]
  readonly adapters: WorkloadDeps['adapters']
  readonly prove: WorkloadDeps['prove']
  readonly log: WorkloadDeps['log']
  /** After the first answer of the server. */
  readonly onFirstSync: () => void
  readonly host?: DriverHost
  /** Of the program that runs, where that is not this source. */
  readonly version?: string
  /** The server offers another version of the agent; `server` is whom this node joined. */
  readonly onUpgrade?: (
    upgrade: AgentUpgrade,
    server: { readonly serverUrl: string; readonly instanceKey: string },
  ) => void
  /** The server will never take this node again. */
  readonly onRefused?: (code: string) => void
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
  const version = parts.version ?? AGENT_VERSION
  const stateDirectory = path.join(config.dataDirectory, 'agent')
  const workDirectory = path.join(config.runDirectory, 'w')
  const heartbeatFile = path.join(config.runDirectory, 'heartbeat')
  const predecessor = await claimDirectory(config.runDirectory)
  if (predecessor !== null) parts.log('predecessor ended', { pid: predecessor })
  await mkdir(workDirectory, { recursive: true, mode: 0o700 })
  const identity = await openIdentity(config, stateDirectory)
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

  const changes = createChangeLog()
  const hostRoot = process.env.MEDLEY_HOST_ROOT ?? config.hostRoot
  const scratchDirectory = path.join(config.runDirectory, 'tools')
  const host = parts.host ?? createDriverHost({ scratchDirectory, ...(hostRoot === undefined ? {} : { hostRoot }) })
  const hardware = await startHardwareReader(host, HARDWARE_INTERVAL_MS, () => changed())
  const chipReader = startChipReader({
    host,
    drivers: parts.drivers,
    nodeKey: identity.nodeKey,
    intervalMs: limits.chipsIntervalMs,
    onBroken: (driver, error) => parts.log('driver broken', { driver, message: messageOf(error) }),
    onChange: (before, after, first) => {
      if (!first) changes.note(before, after, Date.now())
      changed()
    },
  })
  const [engines] = await Promise.all([enginesOf(parts), chipReader.first, reconciler.settled()])

  // Once, then rarely: a server that is away for a night must not fill the disk.
  const trouble = (event: string) => (error: unknown, failures: number) => {
    if (failures === 1 || failures % 60 === 0) parts.log(event, { message: messageOf(error), failures })
  }
  const notReached = trouble('server not reached')
  const telemetryFile = path.join(stateDirectory, 'telemetry.json')
  const telemetryState = await loadTelemetryState(telemetryFile)
  const channel = openChannel({
    serverUrl: identity.serverUrl,
    identity: identity.current,
    bootId,
    agentVersion: version,
    backoffMaxMs: limits.serverBackoffMaxMs,
    onWelcome: ({ sampleIntervalMs }) => telemetry.welcomed(sampleIntervalMs),
    onTrouble: (error, failures) => {
      // Its instance was made anew: whom to trust is told by the token file both share.
      if (error instanceof AppError && error.code === 'agent.channel.wrong-server') identity.refused()
      notReached(error, failures)
    },
    onRefused: (code) => {
      parts.log('refused by the server', { code })
      const next = identity.refused()
      if (next !== 'again') parts.onRefused?.(code)
      return next
    },
    onUpgrade: (upgrade) => {
      const offer = async (): Promise<void> => {
        const { instanceKey } = await identity.current()
        parts.onUpgrade?.(upgrade, { serverUrl: identity.serverUrl, instanceKey })
      }
      offer().catch((error: unknown) => parts.log('upgrade not taken', { message: messageOf(error) }))
    },
  })
  const telemetry = startTelemetry({
    channel,
    chips: chipReader.chips,
    phaseKey: identity.nodeKey,
    state: telemetryState,
    saveState: (state) => saveTelemetryState(telemetryFile, state),
    limits: { maxAgeMs: limits.telemetryMaxAgeMs, maxBytes: limits.telemetryMaxBytes },
  })

  const loop = startSyncLoop({
    channel,
    waitMs: limits.waitMs,
    backoffMaxMs: limits.serverBackoffMaxMs,
    report: (sync) => ({
      nodeKey: identity.nodeKey,
      bootId,
      facts: nodeFacts(version, engines, hardware.read()),
      chips: [...chipReader.chips()],
      unread: [...chipReader.unread()],
      changes: [...changes.all()],
      ...(changes.lostBeforeMs === null ? {} : { changesLostBeforeMs: changes.lostBeforeMs }),
      workloads: [...reconciler.statuses()],
      ...sync,
    }),
    onTold: (report) => changes.forget(report.changes ?? [], report.changesLostBeforeMs),
    onOrders: async (orders, first) => {
      reconciler.apply(orders.workloads)
      await saveOrders(stateDirectory, orders)
      if (!first) return
      void reconciler.reap().catch((error: unknown) => parts.log('reaping failed', { error: errorOf(error) }))
      parts.onFirstSync()
    },
    onTrouble: trouble('report not taken'),
  })
  changed = loop.changed

  const stop = (): void => {
    telemetry.stop()
    channel.close()
    chipReader.stop()
    hardware.stop()
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

function nodeFacts(agentVersion: string, engines: EngineBuild[], hardware: NodeHardware | null): NodeFacts {
  return {
    hostname: os.hostname(),
    operatingSystem: `${os.type()} ${os.platform()}`,
    kernel: os.release(),
    architecture: os.arch(),
    cpuCount: os.cpus().length,
    memoryBytes: os.totalmem(),
    agentVersion,
    nodeVersion: process.versions.node,
    engines,
    ...(hardware ? { hardware } : {}),
  }
}
