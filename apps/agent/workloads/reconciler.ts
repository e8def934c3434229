import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { Workload, WorkloadStatus } from '@medley/fleet/protocol'
import { createEngineWorkload } from './engine-workload.ts'
import { errorOf, type Managed, type WorkloadDeps } from './managed.ts'
import { createProvingWorkload } from './proving-workload.ts'

export interface Reconciler {
  /** Makes `desired` the whole of what should exist here. Returns at once; statuses tell how far it got. */
  apply(desired: readonly Workload[]): void
  statuses(): readonly WorkloadStatus[]
  /**
   * Resolves when it is known of every workload whether it was running already, or after a while without that: a
   * restarted agent must not report an engine as down which it has merely not looked at yet.
   */
  settled(): Promise<void>
  /** Stops processes of earlier agents that are not desired. Only once the server has been heard. */
  reap(): Promise<void>
  /** Stops everything gracefully. */
  drain(): Promise<void>
  /** Lets go of everything; processes go on and can be adopted. */
  release(): void
}

/** Longest wait for adoptions before the first report. */
const SETTLING_MS = 3_000

interface Slot {
  desired: Workload | null
  current: Managed | null
  converging: Promise<void> | null
}

/** Brings what runs to what is wanted, each workload for itself and in order: never two processes in one place. */
export function createReconciler(deps: WorkloadDeps, root: string): Reconciler {
  const slots = new Map<string, Slot>()
  let released = false

  const converge = async (id: string, slot: Slot): Promise<void> => {
    while (!released) {
      const { desired, current } = slot
      if (current && current.digest !== desired?.digest) {
        await current.stop()
        slot.current = null
        deps.onChange()
      } else if (desired && !current) {
        slot.current = create(deps, desired, directoryOf(root, id))
        deps.onChange()
      } else break
    }
    if (slot.desired || slot.current) return
    slots.delete(id)
    await rm(directoryOf(root, id), { recursive: true, force: true })
  }

  const nudge = (id: string, slot: Slot): Promise<void> => {
    slot.converging = (slot.converging ?? Promise.resolve())
      .then(() => converge(id, slot))
      .catch((error: unknown) => deps.log('workload not converging', { workload: id, error: errorOf(error) }))
    return slot.converging
  }

  const apply = (desired: readonly Workload[]): Promise<unknown> => {
    const wanted = new Map(desired.map((workload) => [workload.id, workload]))
    for (const id of wanted.keys())
      if (!slots.has(id)) slots.set(id, { desired: null, current: null, converging: null })
    return Promise.all(
      [...slots].map(([id, slot]) => {
        slot.desired = wanted.get(id) ?? null
        return nudge(id, slot)
      }),
    )
  }

  return {
    apply: (desired) => void apply(desired),
    statuses: () => [...slots.values()].flatMap((slot) => (slot.current ? [slot.current.status()] : [])),
    settled: async () => {
      const tasks = [...slots.values()].map(async (slot) => {
        await slot.converging
        await slot.current?.settled
      })
      await Promise.race([Promise.all(tasks), new Promise((resolve) => setTimeout(resolve, SETTLING_MS))])
    },
    reap: async () => {
      // Asked anew for each directory: orders may arrive while older processes are being stopped.
      const isWanted = (directory: string): boolean =>
        [...slots.keys()].some((id) => directoryOf(root, id) === directory)
      const reaped = await deps.executor.reap(root, isWanted, deps.limits.stopGraceMs)
      if (reaped.length > 0) deps.log('orphans stopped', { directories: reaped })
    },
    drain: async () => {
      await apply([])
      // And what earlier agents left that was in no orders: when all stops, nothing stays.
      await deps.executor.reap(root, () => false, deps.limits.stopGraceMs)
    },
    release: () => {
      released = true
      for (const slot of slots.values()) slot.current?.release()
    },
  }
}

function create(deps: WorkloadDeps, workload: Workload, directory: string): Managed {
  return workload.kind === 'engine'
    ? createEngineWorkload(deps, workload, directory)
    : createProvingWorkload(deps, workload, directory)
}

/** Short, since a socket lies in it; the same for the same id, so that a restarted agent looks in the right place. */
function directoryOf(root: string, id: string): string {
  return path.join(root, createHash('sha256').update(id).digest('hex').slice(0, 12))
}
