import type { Fleet } from '@medley/fleet'
import type { AgentOrders, AgentReport, WorkloadStatus } from '@medley/fleet/protocol'
import { AppError, type Json } from '@medley/kernel'
import type { Serving } from '@medley/serving'
import { createWanted } from './agents/wanted.ts'
import { codedOf } from './coded.ts'
import type { Live, Topic } from './live.ts'
import type { OperationsSeen, OperationView } from './operations.ts'

export interface Orders {
  /**
   * Takes what an agent sees of its node.
   *
   * @throws AppError `fleet.node.unknown`, `fleet.node.revoked`, `store.unavailable`
   */
  absorb(nodeId: string, report: AgentReport, clockSkewMs: number | null): Promise<void>
  /** What the node should do; waits for a change, as long as the report allows, when there is nothing new. */
  answer(
    nodeId: string,
    report: Pick<AgentReport, 'appliedRevision' | 'waitMs'>,
    signal: AbortSignal,
  ): Promise<AgentOrders>
  /** Nodes are being emptied or not any more. */
  refresh(): Promise<void>
  /** When a node of the given ids last reported; null: none did since this server started. */
  lastHeardAt(nodeIds: readonly string[]): number | null
  /** Whether an agent has told of the workload since this server started: what the store says may be older. */
  heardOf(workloadId: string): boolean
  /** Whether the node's last report named work that has not ended; assumed of nodes that have not reported yet. */
  runsAnything(nodeId: string): boolean
  close(): void
}

export interface OrderPorts {
  readonly fleet: Pick<Fleet, 'observe' | 'draining'>
  readonly serving: Serving
  readonly operations: OperationsSeen
  readonly live: Live
  readonly now: () => number
  /** Turns a finished measurement into a signed record. */
  readonly acceptProving: (spec: Json, result: unknown) => Promise<Json>
  readonly onError: (operationId: string, error: unknown) => void
}

const ENDED: ReadonlySet<WorkloadStatus['state']> = new Set(['stopped', 'failed', 'done'])
/** Changes made by another server of the same store are not announced here. */
const REREAD_MS = 15_000

/** Subject of a measurement's operation: by it the node that has to do it is found. */
export function provingSubject(nodeId: string, chipUuid: string): string {
  return `${nodeId} ${chipUuid}`
}

export function createOrders(ports: OrderPorts): Orders {
  const heardAt = new Map<string, number>()
  const busy = new Map<string, boolean>()
  const heard = new Set<string>()
  const wanted = createWanted({ ...ports, draining: () => ports.fleet.draining() })
  const reread = () => void wanted.refresh().catch(() => {})

  let telling = false
  const stopListening = ports.live.subscribe((topic) => {
    if (!telling && (topic === 'deployments' || topic === 'proving')) reread()
  })
  const timer = setInterval(reread, REREAD_MS)
  timer.unref()

  /** For pages only: how a workload is doing changes nothing of what is wanted. */
  function tell(...topics: readonly Topic[]): void {
    telling = true
    ports.live.touch(...topics)
    telling = false
  }

  /** A result that cannot be taken ends its operation: thrown on, it would come back with every report for ever. */
  async function accept({ id, spec }: OperationView, reported: unknown): Promise<void> {
    try {
      await ports.operations.finish(id, await ports.acceptProving(spec, reported))
    } catch (error) {
      // The database is back some time, and the agent repeats what it was not thanked for.
      if (error instanceof AppError && error.code === 'store.unavailable') throw error
      ports.onError(id, error)
      await ports.operations.fail(id, codedOf(error))
    }
  }

  async function takeProving(status: WorkloadStatus): Promise<void> {
    const operation = await ports.operations.find(status.id)
    if (operation?.state !== 'running') return
    if (status.state === 'done') {
      // Accepting is idempotent by run id: a server killed between the two lines repeats it without harm.
      await accept(operation, status.result)
    } else if (status.state === 'failed') {
      await ports.operations.fail(status.id, status.error ?? { code: 'proving.failed', params: {} })
    } else {
      await ports.operations.progress(status.id, status.progress)
      tell('proving', 'status')
      return
    }
    ports.live.touch('proving', 'status')
  }

  return {
    async absorb(nodeId, report, clockSkewMs) {
      const { changed } = await ports.fleet.observe(nodeId, report, clockSkewMs)
      heardAt.set(nodeId, ports.now())
      busy.set(
        nodeId,
        report.workloads.some(({ state }) => !ENDED.has(state)),
      )
      if (changed) tell('chips', 'nodes', 'status')
      // Most nodes of a large fleet run nothing: they cost no query.
      if (report.workloads.length === 0) return
      const replicas = await ports.serving.observe(nodeId, report.workloads)
      if (replicas.changed) tell('deployments', 'status')
      for (const status of report.workloads) {
        heard.add(status.id)
        await takeProving(status)
      }
    },
    async answer(nodeId, { appliedRevision, waitMs }, signal) {
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(Math.max(1, waitMs))])
      await wanted.of(nodeId)
      for (;;) {
        // Between this look and the wait nothing is awaited: a change in between would be slept over.
        const { revision, workloads } = wanted.last(nodeId)
        if (revision !== appliedRevision || deadline.aborted) return { nodeId, revision, workloads: [...workloads] }
        await wanted.change(nodeId, deadline)
      }
    },
    refresh: () => wanted.refresh(),
    lastHeardAt: (nodeIds) => {
      const times = nodeIds.flatMap((id) => heardAt.get(id) ?? [])
      return times.length === 0 ? null : Math.max(...times)
    },
    heardOf: (workloadId) => heard.has(workloadId),
    runsAnything: (nodeId) => busy.get(nodeId) ?? true,
    close() {
      stopListening()
      clearInterval(timer)
    },
  }
}
