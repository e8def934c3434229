import type { Workload } from '@medley/fleet/protocol'
import { digestOf } from '@medley/kernel'
import type { Serving } from '@medley/serving'
import type { OperationsSeen } from '../operations.ts'
import { revisionOf } from '../snapshots.ts'

/** What one node should run, and the number that names this content. */
export interface WantedWork {
  readonly revision: number
  readonly workloads: readonly Workload[]
}

export interface Wanted {
  /** What is wanted as of now: reads the store again where something has changed since. */
  of(nodeId: string): Promise<WantedWork>
  /** As {@link Wanted.of} of the last reading, without waiting. */
  last(nodeId: string): WantedWork
  /** Resolves when something else is wanted on this node, or when `signal` aborts. */
  change(nodeId: string, signal: AbortSignal): Promise<void>
  /** Something may have changed: reads again and wakes the nodes that it concerns. */
  refresh(): Promise<void>
}

export interface WantedPorts {
  readonly serving: Pick<Serving, 'engineWorkloads'>
  readonly operations: Pick<OperationsSeen, 'running'>
  /** Nodes that are being emptied: nothing is wanted there. */
  readonly draining: () => Promise<readonly string[]>
}

const NOTHING: WantedWork = { revision: revisionOf([]), workloads: [] }

/** One picture of what is wanted on all nodes, read in three queries when it changes and not once per node and poll. */
export function createWanted(ports: WantedPorts): Wanted {
  let picture: ReadonlyMap<string, WantedWork> = new Map()
  let stale = true
  let reading: Promise<void> | null = null
  const waiters = new Map<string, Set<() => void>>()

  async function read(): Promise<void> {
    stale = false
    try {
      const next = await readPicture(ports)
      const touched = new Set([...picture.keys(), ...next.keys()])
      const before = picture
      picture = next
      for (const nodeId of touched) {
        if ((before.get(nodeId) ?? NOTHING).revision === (next.get(nodeId) ?? NOTHING).revision) continue
        for (const wake of [...(waiters.get(nodeId) ?? [])]) wake()
      }
    } catch (error) {
      stale = true
      throw error
    } finally {
      reading = null
    }
  }

  /** Until a reading that began after the last change is over. */
  async function fresh(): Promise<void> {
    while (stale || reading) {
      reading ??= read()
      await reading
    }
  }

  const last = (nodeId: string) => picture.get(nodeId) ?? NOTHING

  return {
    last,
    async of(nodeId) {
      await fresh()
      return last(nodeId)
    },
    change: (nodeId, signal) =>
      new Promise((resolve) => {
        const here = waiters.get(nodeId) ?? new Set()
        waiters.set(nodeId, here)
        const wake = () => {
          here.delete(wake)
          if (here.size === 0) waiters.delete(nodeId)
          signal.removeEventListener('abort', wake)
          resolve()
        }
        here.add(wake)
        if (signal.aborted) wake()
        else signal.addEventListener('abort', wake, { once: true })
      }),
    refresh() {
      stale = true
      return fresh()
    },
  }
}

async function readPicture(ports: WantedPorts): Promise<ReadonlyMap<string, WantedWork>> {
  const [engines, runs, draining] = await Promise.all([
    ports.serving.engineWorkloads(),
    ports.operations.running('proving'),
    ports.draining(),
  ])
  const byNode = new Map<string, Workload[]>()
  const want = (nodeId: string, workload: Workload) => {
    const here = byNode.get(nodeId)
    if (here) here.push(workload)
    else byNode.set(nodeId, [workload])
  }
  for (const [nodeId, workloads] of engines) {
    for (const { id, kind, digest, spec } of workloads) want(nodeId, { id, kind, digest, spec: spec as never })
  }
  for (const { id, subject, spec } of runs) {
    want(subject.slice(0, subject.indexOf(' ')), { id, kind: 'proving', digest: digestOf(spec), spec: spec as never })
  }
  for (const nodeId of draining) byNode.delete(nodeId)
  return new Map(
    [...byNode].map(([nodeId, workloads]) => [
      nodeId,
      { workloads, revision: revisionOf(workloads.map(({ id, digest }) => ({ id, digest }))) },
    ]),
  )
}
