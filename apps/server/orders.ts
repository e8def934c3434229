import type { Fleet } from '@medley/fleet'
import type { AgentOrders, AgentReport, Workload, WorkloadStatus } from '@medley/fleet/protocol'
import { AppError, digestOf, type Json } from '@medley/kernel'
import type { Serving } from '@medley/serving'
import { codedOf } from './coded.ts'
import type { Live } from './live.ts'
import type { OperationsSeen, OperationView } from './operations.ts'
import { revisionOf } from './snapshots.ts'

export interface Orders {
  /** Takes what an agent sees, answers with what it should do; waits for a change when there is nothing new. */
  sync(report: AgentReport, signal: AbortSignal): Promise<AgentOrders>
  lastHeardAt(): number | null
  /** Whether an agent has told of the workload since this server started: what the store says may be older. */
  heardOf(workloadId: string): boolean
}

export interface OrderPorts {
  readonly fleet: Fleet
  readonly serving: Serving
  readonly operations: OperationsSeen
  readonly live: Live
  readonly now: () => number
  /** Turns a finished measurement into a signed record. */
  readonly acceptProving: (spec: Json, result: unknown) => Promise<Json>
  readonly onError: (operationId: string, error: unknown) => void
}

/** Subject of a measurement's operation: by it the node that has to do it is found. */
export function provingSubject(nodeId: string, chipUuid: string): string {
  return `${nodeId} ${chipUuid}`
}

export function createOrders(ports: OrderPorts): Orders {
  let heardAt: number | null = null
  const heard = new Set<string>()

  async function wanted(nodeId: string): Promise<readonly Workload[]> {
    const engines = await ports.serving.engineWorkloads(nodeId)
    const runs = await ports.operations.running('proving')
    return [
      ...engines.map(({ id, kind, digest, spec }) => ({ id, kind, digest, spec })),
      ...runs
        .filter((run) => run.subject.startsWith(provingSubject(nodeId, '')))
        .map((run) => ({ id: run.id, kind: 'proving' as const, digest: digestOf(run.spec), spec: run.spec })),
    ] as Workload[]
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
    }
    ports.live.touch('proving', 'status')
  }

  async function absorb(report: AgentReport): Promise<string> {
    const { nodeId, changed } = await ports.fleet.observe(report)
    if (changed) ports.live.touch('chips', 'status')
    const replicas = await ports.serving.observe(nodeId, report.workloads)
    if (replicas.changed) ports.live.touch('deployments', 'status')
    for (const status of report.workloads) {
      heard.add(status.id)
      await takeProving(status)
    }
    return nodeId
  }

  return {
    lastHeardAt: () => heardAt,
    heardOf: (workloadId) => heard.has(workloadId),
    async sync(report, signal) {
      heardAt = ports.now()
      const nodeId = await absorb(report)
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(Math.max(1, report.waitMs))])
      for (;;) {
        const change = ports.live.next(['deployments', 'proving'], deadline)
        const workloads = await wanted(nodeId)
        const revision = revisionOf(workloads.map(({ id, digest }) => ({ id, digest })))
        if (revision !== report.appliedRevision || deadline.aborted) {
          return { nodeId, revision, workloads: [...workloads] }
        }
        await change
      }
    },
  }
}
