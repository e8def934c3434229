import type {
  CardView,
  ChipView,
  FleetCell as FleetCellView,
  ChipEvent as FleetEvent,
  NodeView,
  MaintenanceWindow as Window,
} from '@medley/fleet'
import type { ChipReading, Gap as MeasuredGap, Series as MeasuredSeries } from '@medley/monitoring'
import { CHIP_METRICS } from '@medley/monitoring/protocol'
import type { z } from 'zod'
import type {
  Card,
  ChipEvent,
  chipStanding,
  FleetCell,
  Gap,
  MaintenanceWindow,
  Node,
  NodeTopology,
  Series,
} from './api/fleet-schemas.ts'

type Coded = { readonly code: string; readonly params: Readonly<Record<string, string>> }

const UNITS = new Map(CHIP_METRICS.map(({ name, unit }) => [name, unit]))
const UTILIZATION = CHIP_METRICS.findIndex(({ name }) => name === 'utilizationRatio')
const TEMPERATURE = CHIP_METRICS.findIndex(({ name }) => name === 'temperatureCelsius')

export function presentCoded({ code, params }: Coded): { code: string; params: Record<string, string> } {
  return { code, params: { ...params } }
}

export function presentWindow(window: Window): MaintenanceWindow {
  return { ...window, startsAt: window.startsAt.toISOString(), endsAt: window.endsAt.toISOString() }
}

export function presentNode(view: NodeView): Node {
  return {
    id: view.id,
    tenantId: view.tenantId,
    simulated: view.simulated,
    facts: view.facts,
    state: view.state,
    stateSince: view.stateSince.toISOString(),
    labels: { ...view.labels },
    taints: view.taints.map((taint) => ({ ...taint })),
    place: { ...view.place },
    cordon: view.cordon && { ...view.cordon, since: view.cordon.since.toISOString() },
    maintenance: view.maintenance && presentWindow(view.maintenance),
    clockSkewMs: view.clockSkewMs,
    chipCount: view.chipCount,
    chipStates: { ...view.chipStates },
    firstSeenAt: view.firstSeenAt.toISOString(),
    lastSeenAt: view.lastSeenAt.toISOString(),
  }
}

export function presentStanding(view: ChipView, reading: ChipReading | null): z.infer<typeof chipStanding> {
  const said = (word: ChipView['quarantine']) =>
    word && { since: word.since.toISOString(), reason: presentCoded(word.reason), by: word.by }
  return {
    state: view.state,
    stateSince: view.stateSince.toISOString(),
    evidence: view.evidence.map(presentCoded),
    quarantine: said(view.quarantine),
    retired: said(view.retired),
    usable: view.usable,
    place: { ...view.place },
    reading: reading && { at: new Date(reading.atMs).toISOString(), values: valuesByName(reading) },
  }
}

/** Metrics the chip does not have are left out rather than shown as unknown: no vendor has all of them. */
function valuesByName({ values }: ChipReading): Record<string, number> {
  const named = CHIP_METRICS.map(({ name }, at): [string, number | null] => [name, values[at] ?? null])
  return Object.fromEntries(named.filter((entry): entry is [string, number] => entry[1] !== null))
}

export function presentCard(view: CardView): Card {
  return {
    cardKey: view.cardKey,
    nodeId: view.nodeId,
    vendor: view.vendor,
    product: view.product,
    serial: view.serial,
    powerWatts: view.powerWatts,
    chips: view.chips.map(({ id, facts, state }) => ({ id, uuid: facts.uuid, chipOnCard: facts.chipOnCard, state })),
  }
}

export function presentEvent(event: FleetEvent): ChipEvent {
  return { ...event, at: event.at.toISOString(), evidence: event.evidence.map(presentCoded) }
}

export function presentGap({ fromMs, toMs, reason }: MeasuredGap): Gap {
  return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), reason }
}

export function presentSeries(chipId: string, series: MeasuredSeries): Series {
  return {
    chipId,
    metric: series.metric,
    unit: UNITS.get(series.metric) ?? '',
    resolution: series.resolution,
    points: series.points.map(({ atMs, min, mean, max }) => [atMs, min, mean, max]),
    gaps: series.gaps.map(presentGap),
  }
}

export function presentCell(cell: FleetCellView, reading: ChipReading | null): FleetCell {
  return {
    chipId: cell.chipId,
    nodeId: cell.nodeId,
    nodeName: cell.nodeName,
    vendor: cell.vendor,
    product: cell.product,
    rack: cell.rack,
    state: cell.state,
    quarantined: cell.quarantined,
    driverVersion: cell.driverVersion,
    simulated: cell.simulated,
    utilizationRatio: reading?.values[UTILIZATION] ?? null,
    temperatureCelsius: reading?.values[TEMPERATURE] ?? null,
  }
}

/** A link is told by both of its ends; it is drawn once. */
export function presentTopology(node: NodeView, chips: readonly ChipView[]): NodeTopology {
  const links = new Map<string, NodeTopology['links'][number]>()
  for (const { facts } of chips) {
    for (const { to, kind, label, bytesPerSecond } of facts.links ?? []) {
      const [from, end] = [facts.uuid, to].toSorted()
      if (from === undefined || end === undefined || from === end) continue
      const key = `${from} ${end} ${kind}`
      if (!links.has(key)) links.set(key, { from, to: end, kind, label, bytesPerSecond })
    }
  }
  return {
    nodeId: node.id,
    place: { ...node.place },
    chips: chips.map(({ id, facts, state }) => ({
      id,
      uuid: facts.uuid,
      index: facts.index,
      product: facts.product,
      numaNode: facts.numaNode,
      state,
    })),
    links: [...links.values()],
  }
}
