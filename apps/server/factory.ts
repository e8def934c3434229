import type { Alerting } from '@medley/alerting'
import type { Audit } from '@medley/audit'
import type { Enrolment } from '@medley/enrolment'
import type { JoinAnswer, JoinRequest } from '@medley/enrolment/protocol'
import type { ChipView, Fleet } from '@medley/fleet'
import type { Identity } from '@medley/identity'
import type { Clock, IdFactory, TenantScope } from '@medley/kernel'
import type { Monitoring } from '@medley/monitoring'
import type { Proving } from '@medley/proving'
import type { Registry } from '@medley/registry'
import type { Serving } from '@medley/serving'
import type { Supply } from '@medley/supply'
import type { Logger, Registry as MetricsRegistry } from '@medley/telemetry'
import type { AgentChannel } from './agents/channel.ts'
import type { Upgrades } from './agents/upgrades.ts'
import type { Chip, Session } from './api/schemas.ts'
import type { CapacityBook } from './capacity.ts'
import type { ServerConfig } from './config.ts'
import type { FleetIndex } from './fleet-index.ts'
import type { Denials } from './http/denials.ts'
import type { Principal } from './http/guard.ts'
import type { Idempotency } from './idempotency.ts'
import type { Live } from './live.ts'
import type { OperationBook, OperationView } from './operations.ts'
import type { Orders } from './orders.ts'
import type { OwnNodes } from './own-nodes.ts'
import type { Snapshots } from './snapshots.ts'
import type { FactoryStatus } from './status.ts'
import type { Vendors } from './vendors.ts'

/** Everything the HTTP face may use: the composed modules and the few questions that span them. */
export interface Factory {
  readonly config: ServerConfig
  readonly clock: Clock
  readonly ids: IdFactory
  readonly log: Logger
  readonly metrics: MetricsRegistry
  readonly internalToken: string
  readonly identity: Identity
  readonly audit: Audit
  readonly denials: Denials
  readonly fleet: Fleet
  readonly enrolment: Enrolment
  readonly monitoring: Monitoring
  readonly alerting: Alerting
  readonly index: FleetIndex
  readonly channel: AgentChannel
  readonly upgrades: Upgrades
  readonly proving: Proving
  readonly registry: Registry
  readonly serving: Serving
  readonly supply: Supply
  readonly vendors: Vendors
  readonly capacity: CapacityBook
  readonly operations: OperationBook
  readonly idempotency: Idempotency
  readonly live: Live
  readonly orders: Orders
  readonly ownNodes: OwnNodes
  readonly snapshots: Snapshots
  readonly status: FactoryStatus
  principalOf(headers: Headers): Promise<Principal | null>
  sessionView(principal: Principal): Promise<Session>
  /** For the person who asks: one tenant's operator must not sign in as another's. */
  signInLink(principal: Principal): Promise<{ url: string; expiresAt: string }>
  /** The factory's own agent: from then on its node is one that work may be placed on. */
  joinOwn(request: JoinRequest): Promise<JoinAnswer>
  /** `centre`: an operator of the centre asks, and may revoke its nodes. @throws AppError `enrolment.node.unknown` */
  revokeNode(scope: TenantScope, nodeId: string, reason: string, by: { readonly centre: boolean }): Promise<void>
  /** Facts, scores and deployments of the chips, as the API shows them. */
  describeChips(scope: TenantScope, chips: readonly ChipView[]): Promise<Chip[]>
  /** @throws AppError `server.chip.simulated` */
  refuseSimulated(chipUuids: readonly string[]): Promise<void>
  /**
   * @throws AppError `server.model.not-ready`, `server.chip.simulated`, `server.chip.remote`, `server.proving.running`
   * where another tenant measures the chip.
   */
  prove(scope: TenantScope, chip: ChipView): Promise<OperationView>
  /** Key of the console's own requests; never leaves this machine's processes. */
  playgroundKey(scope: TenantScope): string
}
