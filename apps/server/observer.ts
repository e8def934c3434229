import type { ChipObservation, NodeObservation, Observation } from '@medley/alerting'
import type { FleetCell, NodeView } from '@medley/fleet'
import type { ChipReading, Monitoring } from '@medley/monitoring'
import type { FleetIndex } from './fleet-index.ts'

/**
 * What alerting is handed: all of the fleet where something else than readings has changed, else only the chips with
 * a newer reading.
 */
export function createObserver(ports: {
  readonly index: FleetIndex
  readonly monitoring: Pick<Monitoring, 'latest'>
}): () => Promise<Observation> {
  let version: number | null = null
  const readAt = new Map<string, number>()

  return async () => {
    const picture = await ports.index.picture()
    const complete = picture.version !== version
    version = picture.version
    if (complete) readAt.clear()
    const chips: ChipObservation[] = []
    for (const cell of picture.cells) {
      const reading = ports.monitoring.latest(cell.uuid)
      const at = reading?.atMs ?? 0
      if (!complete && readAt.get(cell.uuid) === at) continue
      readAt.set(cell.uuid, at)
      chips.push(chipObservation(cell, reading))
    }
    return { complete, nodes: complete ? picture.nodes.map(nodeObservation) : [], chips }
  }
}

function chipObservation(cell: FleetCell, reading: ChipReading | null): ChipObservation {
  return {
    chipId: cell.chipId,
    nodeId: cell.nodeId,
    name: `${cell.nodeName} · ${cell.product} ${cell.index ?? cell.uuid}`,
    vendor: cell.vendor,
    product: cell.product,
    state: cell.state,
    evidence: cell.evidence,
    quarantine: cell.quarantineReason,
    driverVersion: cell.driverVersion,
    simulated: cell.simulated,
    values: reading?.values ?? null,
    readAtMs: reading?.atMs ?? null,
  }
}

function nodeObservation(node: NodeView): NodeObservation {
  return {
    nodeId: node.id,
    name: node.facts.hostname,
    tenantId: node.tenantId,
    state: node.state,
    simulated: node.simulated,
    maintenance: node.maintenance !== null,
  }
}
