import type { Scope } from '@medley/kernel'
import type { Place, Taint } from './domain/labels.ts'
import { CHIP_STATES, type ChipState, type Coded } from './domain/state.ts'
import type { AgentReport, ChipFacts, NodeFacts } from './protocol.ts'

export { CHIP_STATES, type ChipState, type Coded, type Place, type Taint }

export type NodeState = 'connected' | 'away' | 'revoked'

export interface MaintenanceWindow {
  readonly id: string
  readonly nodeId: string
  readonly startsAt: Date
  readonly endsAt: Date
  readonly reason: string
  readonly createdBy: string
}

/** `draining`: cordoned, and what runs is being ended; `drained`: nothing runs any more. */
export type CordonState = 'open' | 'cordoned' | 'draining' | 'drained'

export interface NodeView {
  readonly id: string
  /** Whose node it is; `null`: the compute centre's own, for all tenants. */
  readonly tenantId: string | null
  readonly simulated: boolean
  readonly facts: NodeFacts
  readonly bootId: string
  readonly state: NodeState
  readonly stateSince: Date
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  readonly place: Place
  readonly cordon: {
    readonly state: CordonState
    readonly since: Date
    readonly by: string
    readonly reason: string
  } | null
  /** In force now. */
  readonly maintenance: MaintenanceWindow | null
  /** Agent's clock minus server's, milliseconds; `null` before the first sample. */
  readonly clockSkewMs: number | null
  readonly chipCount: number
  /** Chips per state; states without a chip are left out. */
  readonly chipStates: Readonly<Partial<Record<ChipState, number>>>
  readonly firstSeenAt: Date
  readonly lastSeenAt: Date
}

export interface ChipView {
  readonly id: string
  readonly nodeId: string
  readonly nodeName: string
  readonly simulated: boolean
  readonly facts: ChipFacts
  readonly state: ChipState
  readonly stateSince: Date
  /** Why it is in this state. */
  readonly evidence: readonly Coded[]
  /** Set after repeated faults; nothing is placed on it until an operator releases it. */
  readonly quarantine: { readonly since: Date; readonly reason: Coded; readonly by: string } | null
  /** Taken out for good: in no list, count or alert until its node reports it again or an operator restores it. */
  readonly retired: { readonly since: Date; readonly reason: Coded; readonly by: string } | null
  /** Whether new work may be placed: healthy or degraded, not quarantined, its node connected and not cordoned. */
  readonly usable: boolean
  readonly place: Place
  readonly firstSeenAt: Date
  readonly lastSeenAt: Date
}

/** What is plugged in: one or more chips that share a card key. */
export interface CardView {
  readonly cardKey: string
  readonly nodeId: string
  readonly product: string
  readonly vendor: string
  readonly serial: string | null
  /** Of the whole card, counted once. */
  readonly powerWatts: number | null
  readonly chips: readonly ChipView[]
}

/** Something that happened to a chip, kept for ever and never changed. */
export interface ChipEvent {
  readonly id: string
  readonly chipId: string
  readonly nodeId: string
  /** When it was seen, by the server's clock (the agent's, corrected by its skew, for what it kept while away). */
  readonly at: Date
  readonly kind:
    | 'found'
    | 'state'
    | 'moved'
    | 'product'
    | 'driver-version'
    | 'firmware-version'
    | 'quarantined'
    | 'released'
    | 'retired'
    | 'restored'
    /** Two nodes claim it at once. */
    | 'claimed-twice'
  readonly from: string | null
  readonly to: string | null
  readonly evidence: readonly Coded[]
  /** Who did it, where a person did. */
  readonly by: string | null
}

export interface FleetFilter {
  readonly vendor?: string
  readonly state?: ChipState
  readonly nodeId?: string
  readonly rack?: string
  readonly simulated?: boolean
  /** The retired ones alone; left out: all others. */
  readonly retired?: boolean
  /** Part of product, node name, uuid or serial, in any case. */
  readonly text?: string
}

/** Counts for maps and tiles, made by the store in one query. */
export interface FleetSummary {
  readonly nodes: number
  readonly chips: number
  readonly byVendor: readonly {
    readonly vendor: string
    readonly simulated: boolean
    readonly states: Readonly<Partial<Record<ChipState, number>>>
  }[]
}

/** One cell of the fleet map: enough to draw it, small enough to send ten thousand. */
export interface FleetCell {
  readonly chipId: string
  readonly uuid: string
  readonly nodeId: string
  readonly nodeName: string
  /** Whose node it is; `null`: the centre's. */
  readonly tenantId: string | null
  readonly index: number | null
  readonly vendor: string
  readonly product: string
  readonly rack: string | null
  readonly state: ChipState
  readonly evidence: readonly Coded[]
  readonly quarantined: boolean
  /** Why, where it is in quarantine. */
  readonly quarantineReason: Coded | null
  readonly driverVersion: string | null
  readonly simulated: boolean
}

/** Whom a page is made for: all nodes, or the centre's and the tenant's own. */
export type Viewer = { readonly all: true } | { readonly all: false; readonly tenantId: string }

export interface Fleet {
  /**
   * Takes one agent's whole view of its node. Same report again: nothing is written. A chip that was reported before
   * and is missing now becomes `absent`. Chips of a simulated node are marked so whatever the report says.
   *
   * @returns `changed`: whether more than readings and times is new.
   * @throws AppError `fleet.node.unknown`, `fleet.node.revoked`
   */
  observe(nodeId: string, report: AgentReport, clockSkewMs: number | null): Promise<{ readonly changed: boolean }>
  /** A connection of the node opened (`true`) or its last one closed. Chips of an away node become `unknown` after two polls. */
  presence(nodeId: string, connected: boolean): Promise<void>
  /** In memory: the node was heard. Written to the store now and then by {@link Fleet.tick}. */
  heard(nodeId: string, clockSkewMs: number | null): void
  /** The fleet's own clockwork: away nodes, ended windows, drained nodes. Called every few seconds. */
  tick(): Promise<{ readonly changed: boolean }>

  nodes(page: { viewer: Viewer; after: string | null; limit: number; text?: string }): Promise<readonly NodeView[]>
  /** @throws AppError `fleet.node.unknown`, also where the viewer may not see it */
  node(id: string, viewer: Viewer): Promise<NodeView>
  chips(page: {
    viewer: Viewer
    after: string | null
    limit: number
    filter?: FleetFilter
  }): Promise<readonly ChipView[]>
  /** By id or uuid. @throws AppError `fleet.chip.unknown` */
  chip(id: string, viewer: Viewer): Promise<ChipView>
  cards(nodeId: string, viewer: Viewer): Promise<readonly CardView[]>
  summary(viewer: Viewer): Promise<FleetSummary>
  cells(viewer: Viewer): Promise<readonly FleetCell[]>
  /** Newest first. */
  events(page: {
    viewer: Viewer
    chipId?: string
    nodeId?: string
    from?: Date
    to?: Date
    after: string | null
    limit: number
  }): Promise<readonly ChipEvent[]>

  /** Replaces the given members; those left out stay. @throws AppError `fleet.node.unknown`, `fleet.labels.invalid` */
  describe(
    scope: Scope,
    nodeId: string,
    change: {
      readonly labels?: Readonly<Record<string, string>>
      readonly taints?: readonly Taint[]
      readonly place?: Place
    },
  ): Promise<NodeView>
  /** Nothing new is placed on the node; with `drain`, what runs there is ended too. */
  cordon(scope: Scope, nodeId: string, how: { reason: string; drain: boolean }): Promise<NodeView>
  uncordon(scope: Scope, nodeId: string): Promise<NodeView>
  /** Set by {@link Fleet.cordon} with `drain`: the server must want no workload there. */
  draining(): Promise<readonly string[]>
  /** @throws AppError `fleet.maintenance.window` where it ends before it begins or lies in the past */
  planMaintenance(
    scope: Scope,
    nodeId: string,
    window: { startsAt: Date; endsAt: Date; reason: string },
  ): Promise<MaintenanceWindow>
  maintenance(viewer: Viewer, nodeId?: string): Promise<readonly MaintenanceWindow[]>
  cancelMaintenance(scope: Scope, windowId: string): Promise<void>
  /** @throws AppError `fleet.chip.unknown`, `fleet.chip.not-quarantined` */
  release(scope: Scope, chipId: string, reason: string): Promise<ChipView>
  quarantine(scope: Scope, chipId: string, reason: string): Promise<ChipView>
  /**
   * The chip was taken out for good: it is left out everywhere, its history stays. A report that names it brings it
   * back. @throws AppError `fleet.chip.unknown`, `fleet.chip.present` while its node still reports it
   */
  retire(scope: Scope, chipId: string, reason: string): Promise<ChipView>
  /** Takes {@link Fleet.retire} back. @throws AppError `fleet.chip.unknown`, `fleet.chip.not-retired` */
  restore(scope: Scope, chipId: string, reason: string): Promise<ChipView>
}

/** Asked by the enrolment module in one transaction with the token's use; see `createFleet().enrol`. */
export interface NodeEnrolment {
  readonly nodeKey: string
  readonly hostname: string
  readonly tenantId: string | null
  readonly simulated: boolean
  readonly agentVersion: string
}
