import type { ChipDriver, FleetCell, NodeView, Viewer } from '@medley/fleet'
import type { Clock } from '@medley/kernel'
import type { Proving } from '@medley/proving'
import {
  type Capacity,
  type CapacityChip,
  type CapacityInput,
  type CapacityPoint,
  type CapacityStore,
  computeCapacity,
  snapshotsOf,
} from '@medley/supply'
import type { FleetIndex } from './fleet-index.ts'

/** Most sheets give this one; a headline always says which it is. */
export const HEADLINE_DTYPE = 'fp16'

export interface CapacityBook {
  /** Of what the viewer may see, now. */
  now(viewer: Viewer, dtype: string): Promise<Capacity>
  /** Of all real chips of the centre; `from` is inclusive, `to` is not. */
  history(from: Date, to: Date, dtype: string): Promise<readonly CapacityPoint[]>
  /** Keeps one point of the present hour. */
  snapshot(): Promise<void>
}

export interface CapacityPorts {
  readonly index: FleetIndex
  readonly proving: Pick<Proving, 'scores'>
  readonly store: CapacityStore
  readonly drivers: readonly ChipDriver[]
  readonly clock: Clock
}

const DAY_MS = 86_400_000
/** Usage and scores of a whole fleet are read for everybody at once, not for each page. */
const KEPT_MS = 15_000

interface Facts {
  readonly efficiency: ReadonlyMap<string, Readonly<Record<string, number | null>>>
  readonly usage: CapacityInput['usage']
}

export function createCapacityBook({ index, proving, store, drivers, clock }: CapacityPorts): CapacityBook {
  const vendors = drivers.map(({ name, domestic, sheets }) => ({ name, domestic, sheets }))
  let kept: { readonly atMs: number; readonly facts: Promise<Facts> } | null = null

  async function readFacts(cells: readonly FleetCell[]): Promise<Facts> {
    const now = clock.now()
    const real = cells.flatMap(({ uuid, simulated }) => (simulated ? [] : uuid))
    const [scores, usage] = await Promise.all([
      proving.scores(real),
      store.usageByChip(new Date(now - DAY_MS), new Date(now)),
    ])
    const efficiency = new Map<string, Record<string, number | null>>()
    for (const { chipUuid, event, efficiency: measured } of scores) {
      efficiency.set(chipUuid, { ...efficiency.get(chipUuid), [event]: measured })
    }
    return { efficiency, usage }
  }

  async function input(viewer: Viewer, dtype: string): Promise<CapacityInput> {
    const picture = await index.picture()
    const nowMs = clock.now()
    if (!kept || nowMs - kept.atMs > KEPT_MS) kept = { atMs: nowMs, facts: readFacts(picture.cells) }
    const facts = await kept.facts.catch((error: unknown) => {
      kept = null
      throw error
    })
    const cells = picture.cells.filter(
      ({ tenantId }) => viewer.all || tenantId === null || tenantId === viewer.tenantId,
    )
    // What an operator has just changed shows at once.
    const overrides = await store.sheets()
    return {
      at: new Date(nowMs),
      dtype,
      vendors,
      overrides,
      usage: facts.usage,
      chips: cells.map((cell) =>
        chipOf(cell, picture.byNodeId.get(cell.nodeId), facts.efficiency.get(cell.uuid) ?? {}),
      ),
    }
  }

  return {
    now: async (viewer, dtype) => computeCapacity(await input(viewer, dtype)),
    history: (from, to, dtype) => store.history(from, to, dtype),
    async snapshot() {
      const all = await input({ all: true }, HEADLINE_DTYPE)
      await store.record(all.at, snapshotsOf(all))
    },
  }
}

function chipOf(cell: FleetCell, node: NodeView | undefined, efficiency: CapacityChip['efficiency']): CapacityChip {
  const { uuid, vendor, product, state, simulated } = cell
  const cause = causeOf(cell, node)
  return { uuid, vendor, product, state, simulated, efficiency, cause, usable: cause === null }
}

/** What keeps work away, the farthest from the chip itself first. */
function causeOf(cell: FleetCell, node: NodeView | undefined): CapacityChip['cause'] {
  if (node?.state !== 'connected') return 'away'
  if (node.maintenance !== null) return 'maintenance'
  if (node.cordon !== null && node.cordon.state !== 'open') return 'cordoned'
  if (cell.quarantined) return 'quarantined'
  return cell.state === 'healthy' || cell.state === 'degraded' ? null : 'not-usable'
}
