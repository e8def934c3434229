import { openFleetDirectory } from './directory.ts'
import { uuidOf } from './facts.ts'
import { memberOf } from './join.ts'
import { expandPlan, type SimulatedNode } from './model.ts'
import { type RunningNode, startSimulatedNode } from './node.ts'
import type { SimulationPlan } from './plan.ts'

const AGENT_VERSION = '0.1.0-simulated'
const JOINS_AT_ONCE = 8
/** Pause between the first dials of two nodes: a thousand at once would only wait for each other. */
const DIAL_EVERY_MS = 10
const PROGRESS_MS = 1_000
/** How long a stop waits for what the server has not acknowledged yet. */
const FLUSH_MS = 15_000

export interface SimulationProgress {
  readonly nodes: number
  readonly chips: number
  readonly joined: number
  readonly connected: number
  /** Nodes the server will not take any more, such as revoked ones. */
  readonly refused: number
  /** Samples so far: rows, one per chip and time. */
  readonly taken: number
  readonly acknowledged: number
  readonly dropped: number
  readonly waiting: number
  readonly reports: number
}

export interface SimulationOptions {
  readonly serverUrl: string
  /**
   * Asked for once, and only when a node has not joined yet; of a token for as many uses as the plan has nodes.
   * `null`: there is none.
   */
  readonly joinToken: () => Promise<string | null>
  readonly plan: SimulationPlan
  /** Keys and progress: with it, a restart comes back as the same nodes. */
  readonly directory: string
  readonly signal: AbortSignal
  readonly onProgress?: (progress: SimulationProgress) => void
  /** A node joined for the first time; such as to say where it stands. A failure ends the simulation. */
  readonly onJoined?: (joined: {
    readonly nodeId: string
    readonly hostname: string
    readonly rack: string
    readonly spine: string
    readonly labels: Readonly<Record<string, string>>
  }) => Promise<void>
  readonly clock?: () => number
}

/**
 * Runs a whole fleet without hardware in this process, until the signal: each node joins, dials and reports as a real
 * agent does. Polls are spread over the interval.
 *
 * @returns the last progress, after what waited has been handed in as far as the server took it.
 * @throws JoinRefusedError where the server refuses a node
 */
export async function runSimulatedFleet(options: SimulationOptions): Promise<SimulationProgress> {
  const { plan, serverUrl } = options
  const clock = options.clock ?? Date.now
  const directory = await openFleetDirectory(options.directory, clock())
  const nodes = expandPlan(plan)
  const running: RunningNode[] = []
  const timers = new Set<NodeJS.Timeout>()
  const failed = new AbortController()
  const signal = AbortSignal.any([options.signal, failed.signal])

  let token: Promise<string | null> | null = null
  const joinToken = (): Promise<string | null> => {
    token ??= options.joinToken()
    return token
  }
  const progress = (): SimulationProgress => totals(nodes, running)
  const reporter = setInterval(() => options.onProgress?.(progress()), PROGRESS_MS)

  const run = (node: SimulatedNode, index: number, member: Parameters<typeof startSimulatedNode>[0]['member']) => {
    /** When in the interval, 0 to 1. */
    const phase = index / nodes.length
    let timer: NodeJS.Timeout | null = null
    const schedule = (delayMs: number) => {
      if (signal.aborted) return
      if (timer) {
        clearTimeout(timer)
        timers.delete(timer)
      }
      timer = setTimeout(() => {
        simulated.poll()
        schedule(untilNext(simulated.intervalMs(), phase, 0.5))
      }, delayMs)
      timers.add(timer)
    }
    const simulated = startSimulatedNode({
      node,
      uuids: node.chips.map((chip) => uuidOf(directory.fleetId, node, chip.index)),
      member,
      serverUrl,
      agentVersion: AGENT_VERSION,
      startedAtMs: directory.startedAtMs,
      storedUntilMs: directory.storedUntil.get(node.hostname) ?? null,
      intervalMs: plan.interval ?? null,
      clock,
      onInterval: (intervalMs) => schedule(untilNext(intervalMs, phase, 0)),
      onStored: (atMs) => directory.stored(node.hostname, atMs),
    })
    running.push(simulated)
    schedule(Math.min(index * DIAL_EVERY_MS, simulated.intervalMs() * phase))
  }

  const join = async (queue: Iterator<readonly [number, SimulatedNode]>): Promise<void> => {
    for (let turn = queue.next(); !turn.done && !signal.aborted; turn = queue.next()) {
      const [index, node] = turn.value
      const { member, isNew } = await memberOf(node, directory, {
        serverUrl,
        token: joinToken,
        agentVersion: AGENT_VERSION,
        signal,
      })
      run(node, index, member)
      const { hostname, rack, spine, group } = node
      if (isNew) await options.onJoined?.({ nodeId: member.nodeId, hostname, rack, spine, labels: group.labels })
    }
  }

  try {
    const queue = nodes.entries()
    await Promise.all(Array.from({ length: JOINS_AT_ONCE }, () => join(queue)))
    await untilAborted(signal)
  } catch (error) {
    // Being called off while joining is no failure.
    if (!options.signal.aborted) throw error
  } finally {
    failed.abort()
    for (const timer of timers) clearTimeout(timer)
    await handIn(running)
    clearInterval(reporter)
    for (const simulated of running) simulated.close()
    await directory.close()
  }
  const last = progress()
  options.onProgress?.(last)
  return last
}

/**
 * Milliseconds to the next beat: from the phase and not from the last beat, so that a late one does not shift all that
 * follow. `least` is a share of the interval, against a beat that came early and would come again at once.
 */
function untilNext(intervalMs: number, phase: number, least: number): number {
  const rest = intervalMs - ((Date.now() + intervalMs * (1 - phase)) % intervalMs)
  return rest < least * intervalMs ? rest + intervalMs : rest
}

function totals(nodes: readonly SimulatedNode[], running: readonly RunningNode[]): SimulationProgress {
  const sum = {
    nodes: nodes.length,
    chips: 0,
    joined: running.length,
    connected: 0,
    refused: 0,
    taken: 0,
    acknowledged: 0,
    dropped: 0,
    waiting: 0,
    reports: 0,
  }
  for (const node of nodes) sum.chips += node.chips.length
  for (const { counts, chips } of running) {
    if (counts.connected) sum.connected += 1
    if (counts.refused !== null) sum.refused += 1
    sum.taken += counts.taken * chips
    sum.acknowledged += counts.acknowledged * chips
    sum.dropped += counts.dropped * chips
    sum.waiting += counts.waiting * chips
    sum.reports += counts.reports
  }
  return sum
}

async function handIn(running: readonly RunningNode[]): Promise<void> {
  const deadline = performance.now() + FLUSH_MS
  const isWaiting = () => running.some(({ counts }) => counts.connected && counts.waiting > 0)
  while (isWaiting() && performance.now() < deadline) {
    await Promise.all(running.map((simulated) => simulated.flush()))
    if (isWaiting()) await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
