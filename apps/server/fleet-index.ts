import { setTimeout as sleep } from 'node:timers/promises'
import type { Fleet, FleetCell, NodeView } from '@medley/fleet'
import type { Live } from './live.ts'

/** The whole fleet as it was at one version, small enough to be kept in memory. */
export interface FleetPicture {
  /** Another number: something else than readings has changed. */
  readonly version: number
  readonly cells: readonly FleetCell[]
  readonly byUuid: ReadonlyMap<string, FleetCell>
  readonly nodes: readonly NodeView[]
  readonly byNodeId: ReadonlyMap<string, NodeView>
}

export interface FleetIndex {
  /** Reads again only where something has changed, and then in one query for all chips. */
  picture(): Promise<FleetPicture>
  /** All chips of the last picture; for what cannot wait. */
  cells(): readonly FleetCell[]
  /** The node in the last picture; for what cannot wait. */
  node(nodeId: string): NodeView | undefined
  /** The chip in the last picture; for what cannot wait. */
  cell(uuid: string): FleetCell | undefined
  close(): void
}

/** Nodes are large; read by the hundred, nobody else's answers wait for them. */
const NODES_PER_PAGE = 100
/** A fleet that changes all the time is read at most this often. */
const LEAST_AGE_MS = 300
/** Changes by another server of the same store are not announced here. */
const MOST_AGE_MS = 30_000
const EMPTY: FleetPicture = { version: 0, cells: [], byUuid: new Map(), nodes: [], byNodeId: new Map() }

export function createFleetIndex(ports: {
  readonly fleet: Pick<Fleet, 'cells' | 'nodes'>
  readonly live: Live
  readonly now: () => number
}): FleetIndex {
  let picture = EMPTY
  let wanted = 1
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<FleetPicture> | null = null
  const stop = ports.live.subscribe((topic) => {
    if (topic === 'chips' || topic === 'nodes') wanted += 1
  })

  async function allNodes(): Promise<NodeView[]> {
    const all: NodeView[] = []
    for (;;) {
      const after = all.at(-1)?.id ?? null
      const nodes = await ports.fleet.nodes({ viewer: { all: true }, after, limit: NODES_PER_PAGE })
      all.push(...nodes)
      if (nodes.length < NODES_PER_PAGE) return all
    }
  }

  async function read(): Promise<FleetPicture> {
    // Waits rather than to answer with what is old: whoever asks was just told that there is something new.
    const tooEarlyMs = Math.min(LEAST_AGE_MS, readAt + LEAST_AGE_MS - ports.now())
    if (tooEarlyMs > 0) await sleep(tooEarlyMs)
    const version = wanted
    readAt = ports.now()
    const [cells, nodes] = await Promise.all([ports.fleet.cells({ all: true }), allNodes()])
    picture = {
      version,
      cells,
      nodes,
      byUuid: new Map(cells.map((cell) => [cell.uuid, cell])),
      byNodeId: new Map(nodes.map((node) => [node.id, node])),
    }
    return picture
  }

  return {
    async picture() {
      if (ports.now() - readAt > MOST_AGE_MS) wanted += 1
      if (picture.version === wanted) return picture
      reading ??= read().finally(() => {
        reading = null
      })
      return reading
    },
    cells: () => picture.cells,
    node: (nodeId) => picture.byNodeId.get(nodeId),
    cell: (uuid) => picture.byUuid.get(uuid),
    close: stop,
  }
}
