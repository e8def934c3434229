import { randomUUID } from 'node:crypto'
import type { AgentReport, ChipChange, Workload, WorkloadStatus } from '@medley/fleet/protocol'
import { CHIP_METRICS, type NodeSample, type SampleGap } from '@medley/monitoring/protocol'
import { type Channel, openChannel } from '../sync/channel.ts'
import type { Member } from './directory.ts'
import { changesBetween, chipFactsAt, nodeFactsOf } from './facts.ts'
import { nodeAt, type SimulatedNode, signatureAt, valuesAt } from './model.ts'

/** An hour of samples at the usual interval: what the network may be away for without a gap. */
const MOST_WAITING = 240
const BATCH = 60
const MOST_GAPS = 100
const MOST_CHANGES = 1_000
/** As the real agent's: how long the server may hold the answer to a report. */
const WAIT_MS = 60_000
const LEAST_REPORT_GAP_MS = 1_000
/** Until the server has said how often it wants samples. */
const USUAL_INTERVAL_MS = 15_000
const METRICS = CHIP_METRICS.map(({ name }) => name)

export interface NodeCounts {
  connected: boolean
  /** Of samples; each has one row per chip. */
  taken: number
  acknowledged: number
  /** Thrown away because too many waited; told as a gap. */
  dropped: number
  waiting: number
  reports: number
  refused: string | null
}

export interface SimulatedNodeOptions {
  readonly node: SimulatedNode
  readonly uuids: readonly string[]
  readonly member: Member
  readonly serverUrl: string
  readonly agentVersion: string
  readonly startedAtMs: number
  /** Newest sample an earlier run of this simulation handed in, true time. */
  readonly storedUntilMs: number | null
  /** Given by the plan; `null`: as the server asks. */
  readonly intervalMs: number | null
  readonly clock: () => number
  /** The server asks for another interval than the one so far. */
  readonly onInterval: (intervalMs: number) => void
  readonly onStored: (atMs: number) => void
}

export interface RunningNode {
  readonly counts: Readonly<NodeCounts>
  /** How many chips a sample tells of. */
  readonly chips: number
  intervalMs(): number
  /** Reads the chips once and does what is due. Called once per interval. */
  poll(): void
  /** Hands in what still waits, as far as the server takes it. */
  flush(): Promise<void>
  close(): void
}

/**
 * One agent without hardware: its own key, its own connection, the same frames. A sample that waits is kept as its time
 * alone, since the model tells the readings of any time.
 */
export function startSimulatedNode(options: SimulatedNodeOptions): RunningNode {
  const { node, uuids, clock, startedAtMs } = options
  const counts: NodeCounts = {
    connected: false,
    taken: 0,
    acknowledged: 0,
    dropped: 0,
    waiting: 0,
    reports: 0,
    refused: null,
  }
  let intervalMs = options.intervalMs ?? USUAL_INTERVAL_MS
  let channel: Channel | null = null
  let link = 0
  let bootId = randomUUID()
  let lastSampleMs = options.storedUntilMs
  let off = true
  let waiting: number[] = []
  let gaps: SampleGap[] = []
  let changes: ChipChange[] = []
  let lostBeforeMs: number | null = null
  let seenMs: number | null = null
  let told: { link: number; signature: string } | null = null
  let storing: Promise<void> | null = null
  let layoutOn = -1
  let reporting: AbortController | null = null
  let appliedRevision = -1
  let workloads: readonly Workload[] = []

  const askedFor = (ms: number) => {
    if (ms === intervalMs) return
    intervalMs = ms
    options.onInterval(ms)
  }
  // Times are kept true and told by the node's clock.
  const skewNow = () => nodeAt(node, clock() - startedAtMs).skewMs
  const gap = (fromMs: number, toMs: number, reason: SampleGap['reason']) => {
    if (toMs <= fromMs) return
    const last = gaps.at(-1)
    const goesOn = last !== undefined && last.reason === reason && last.toMs >= fromMs
    gaps = goesOn
      ? [...gaps.slice(0, -1), { ...last, toMs: Math.max(last.toMs, toMs) }]
      : [...gaps, { fromMs, toMs, reason }].slice(-MOST_GAPS)
  }

  const connect = () => {
    channel = openChannel({
      serverUrl: options.serverUrl,
      identity: options.member,
      bootId,
      agentVersion: options.agentVersion,
      now: () => Math.round(clock() + skewNow()),
      onWelcome: (welcome) => {
        link += 1
        askedFor(options.intervalMs ?? welcome.sampleIntervalMs)
        counts.connected = true
        void tell()
        void store()
      },
      onTrouble: () => {
        counts.connected = false
      },
      onRefused: (code) => {
        counts.connected = false
        counts.refused = code
      },
    })
  }
  const disconnect = () => {
    reporting?.abort()
    channel?.close()
    channel = null
    counts.connected = false
  }

  const reportNow = (): AgentReport => {
    const nowMs = clock()
    return {
      nodeKey: options.member.nodeKey,
      bootId,
      facts: nodeFactsOf(node, options.agentVersion),
      chips: chipFactsAt(node, uuids, nowMs - startedAtMs, nowMs),
      ...(changes.length > 0 ? { changes } : {}),
      ...(lostBeforeMs === null ? {} : { changesLostBeforeMs: lostBeforeMs }),
      workloads: workloads.map(refusalOf),
      appliedRevision,
      waitMs: appliedRevision < 0 || changes.length > 0 ? 0 : WAIT_MS,
    }
  }

  /** Reports, and lets the server hold the answer for as long as nothing here changes. */
  const tell = async (): Promise<void> => {
    const open = channel
    if (open === null || !open.connected) return
    reporting?.abort()
    const mine = new AbortController()
    reporting = mine
    const on = link
    while (!mine.signal.aborted && channel === open && link === on) {
      const sentChanges = changes
      const sentLost = lostBeforeMs
      told = { link: on, signature: signatureAt(node, clock() - startedAtMs) }
      counts.reports += 1
      try {
        const orders = await open.report(reportNow(), mine.signal)
        changes = changes.filter((change) => !sentChanges.includes(change))
        if (lostBeforeMs === sentLost) lostBeforeMs = null
        appliedRevision = orders.revision
        workloads = orders.workloads
      } catch {
        // A cut is told again with the next connection; what the server could not take now, at the next poll.
        if (!mine.signal.aborted) told = null
        return
      }
      await new Promise((resolve) => setTimeout(resolve, LEAST_REPORT_GAP_MS).unref())
    }
  }

  const sampleAt = (trueMs: number, skewMs: number): NodeSample => ({
    atMs: Math.round(trueMs + skewMs),
    values: node.chips.map((chip) => valuesAt(node, chip, trueMs - startedAtMs, trueMs)),
  })

  const storeOnce = async (open: Channel): Promise<void> => {
    const skewMs = skewNow()
    const batch = waiting.slice(0, BATCH)
    const sentGaps = gaps
    if (layoutOn !== link) open.layout({ chips: [...uuids], metrics: METRICS })
    layoutOn = link
    await open.store({
      samples: batch.map((trueMs) => sampleAt(trueMs, skewMs)),
      gaps: sentGaps.map((each) => ({
        ...each,
        fromMs: Math.round(each.fromMs + skewMs),
        toMs: Math.round(each.toMs + skewMs),
      })),
    })
    waiting = waiting.filter((trueMs) => !batch.includes(trueMs))
    gaps = gaps.filter((each) => !sentGaps.includes(each))
    counts.acknowledged += batch.length
    counts.waiting = waiting.length
    const newest = batch.at(-1)
    if (newest !== undefined) options.onStored(newest)
  }

  const store = (): Promise<void> => {
    const run = async (): Promise<void> => {
      try {
        while (channel?.connected && (waiting.length > 0 || gaps.length > 0)) await storeOnce(channel)
      } catch {
        // Kept, and sent again at the next poll or with the next connection.
      }
    }
    // Not inside `run`: it may be over before it is kept here.
    storing ??= run().finally(() => {
      storing = null
    })
    return storing
  }

  const take = (nowMs: number) => {
    if (lastSampleMs !== null) {
      // A missing beat: an earlier process ended, the node was off, or this process did not get to run.
      const reason = off ? 'agent-stopped' : 'clock-jumped'
      if (off || nowMs - lastSampleMs > 2.5 * intervalMs) gap(lastSampleMs, nowMs, reason)
    }
    waiting.push(nowMs)
    counts.taken += 1
    lastSampleMs = nowMs
    const [oldest] = waiting
    if (waiting.length > MOST_WAITING && oldest !== undefined) {
      waiting.shift()
      counts.dropped += 1
      gap(oldest - 1, oldest + intervalMs, 'buffer-full')
    }
    counts.waiting = waiting.length
  }

  const switchOff = () => {
    disconnect()
    // What was only in its memory is gone with it.
    lastSampleMs = waiting[0] ?? lastSampleMs
    counts.dropped += waiting.length
    waiting = []
    changes = []
    lostBeforeMs = null
    counts.waiting = 0
    off = true
    seenMs = null
  }

  const poll = () => {
    if (counts.refused !== null) return
    const nowMs = Math.round(clock())
    const elapsed = nowMs - startedAtMs
    const { powered, connected, skewMs } = nodeAt(node, elapsed)
    if (!powered) {
      if (!off) switchOff()
      return
    }
    take(nowMs)
    if (off) bootId = randomUUID()
    off = false
    if (seenMs !== null)
      changes = [...changes, ...changesBetween(node, uuids, seenMs - startedAtMs, elapsed, Math.round(nowMs + skewMs))]
    lostBeforeMs = changes.at(-MOST_CHANGES - 1)?.atMs ?? lostBeforeMs
    changes = changes.slice(-MOST_CHANGES)
    seenMs = nowMs
    if (!connected) return disconnect()
    if (channel === null) return connect()
    if (told === null || told.link !== link || told.signature !== signatureAt(node, elapsed)) void tell()
    void store()
  }

  return {
    counts,
    chips: node.chips.length,
    intervalMs: () => intervalMs,
    poll,
    flush: () => store(),
    close: disconnect,
  }
}

// Nobody should want work here; what is wanted all the same must not look as if it ran.
function refusalOf({ id, digest }: Workload): WorkloadStatus {
  return {
    id,
    digest,
    state: 'failed',
    endpoint: null,
    restarts: 0,
    error: { code: 'agent.family.unknown', params: { family: 'simulated' } },
    progress: null,
    result: null,
  }
}
