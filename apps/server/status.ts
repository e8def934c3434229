import type { Clock, TenantScope } from '@medley/kernel'
import type { Proving } from '@medley/proving'
import type { Registry } from '@medley/registry'
import type { Serving } from '@medley/serving'
import type { OpenedStore } from '@medley/store'
import type { Supply } from '@medley/supply'
import { sql } from 'kysely'
import type { Status } from './api/schemas.ts'
import type { BringUp } from './bring-up.ts'
import { publicUrlOf, type ServerConfig } from './config.ts'
import type { FleetIndex } from './fleet-index.ts'
import type { Orders } from './orders.ts'
import type { OwnNodes } from './own-nodes.ts'
import { presentFitness } from './present.ts'
import type { Snapshots } from './snapshots.ts'

export interface StatusPorts {
  readonly config: ServerConfig
  readonly instanceId: string
  readonly startedAt: Date
  readonly clock: Clock
  readonly store: OpenedStore
  readonly bringUp: BringUp
  readonly orders: Orders
  readonly snapshots: Snapshots
  readonly index: FleetIndex
  readonly ownNodes: OwnNodes
  readonly proving: Proving
  readonly registry: Registry
  readonly serving: Serving
  readonly supply: Supply
}

const DAY_MS = 86_400_000
/** Both ask at least every 25 s; a silence longer than this means that they are gone. */
const SILENCE_MS = 60_000
/** The status is read at a glance; all chips are listed elsewhere. */
const MOST_CHIPS = 500

export interface FactoryStatus {
  /** The factory's own state, with the models, deployments and usage of the tenant that asks. */
  of(scope: TenantScope): Promise<Status>
  /** Accepts work; said to anybody, so it holds nothing else. */
  ready(): boolean
}

/** The factory as a whole, in one answer. */
export function createStatus(ports: StatusPorts): FactoryStatus {
  const { config, clock, bringUp, proving, registry, serving, supply } = ports
  let version: string | null = null

  const storeVersion = async () => {
    if (version === null) {
      const answer = await sql<{ server_version: string }>`show server_version`.execute(ports.store.unscoped())
      version = answer.rows[0]?.server_version ?? ''
    }
    return version
  }
  const heard = (at: number | null) => at !== null && clock.now() - at < SILENCE_MS

  const ready = () =>
    bringUp.settled() && heard(ports.orders.lastHeardAt(ports.ownNodes.ids)) && heard(ports.snapshots.lastAskedAt())

  const of = async (scope: TenantScope): Promise<Status> => {
    const now = new Date(clock.now())
    const { cells } = await ports.index.picture()
    const seen = cells.filter(({ tenantId }) => tenantId === null || tenantId === scope.tenantId)
    const real = seen.filter(({ simulated }) => !simulated)
    const made = seen.filter(({ simulated }) => simulated)
    // Real ones first: a large simulated fleet must not push them out.
    const chips = [...real, ...made].slice(0, MOST_CHIPS)
    const axes = await proving.scores(chips.flatMap(({ uuid, simulated }) => (simulated ? [] : uuid)))
    const deployments = await serving.list(scope, { after: null, limit: 500 })
    const day = await supply.summary(scope, { from: new Date(now.getTime() - DAY_MS), to: now, groupBy: 'outcome' })
    const total = (groups: typeof day, field: 'requests' | 'completionTokens') =>
      groups.reduce((sum, group) => sum + group[field], 0)
    const fitness = presentFitness(axes)
    return {
      ready: ready(),
      version: config.version,
      instanceId: ports.instanceId,
      startedAt: ports.startedAt.toISOString(),
      store: { kind: config.store.kind, version: await storeVersion() },
      steps: [...bringUp.steps()],
      chips: chips.map(({ chipId, uuid, vendor, product, state, simulated }) => ({
        id: chipId,
        uuid,
        vendor,
        product,
        health: state,
        simulated,
      })),
      simulated: { chips: made.length, nodes: new Set(made.map(({ nodeId }) => nodeId)).size },
      models: (await registry.list(scope)).map(({ id, name, state }) => ({ id, name, state })),
      deployments: deployments.map((item) => ({
        id: item.id,
        name: item.name,
        state: item.state,
        servedModel: item.servedModel,
        restarts: item.replicas.reduce((sum, replica) => sum + replica.restarts, 0),
      })),
      score: {
        axes: Object.fromEntries(Object.entries(fitness.axes).map(([event, axis]) => [event, axis.score])),
        fitness: fitness.fitness,
        reason: fitness.reason,
      },
      endpoints: { console: publicUrlOf(config), gateway: config.gatewayUrl },
      usage: {
        requests24h: total(day, 'requests'),
        completionTokens24h: total(day, 'completionTokens'),
        errors24h: total(
          day.filter(({ group }) => group === 'failed' || group === 'interrupted'),
          'requests',
        ),
      },
    }
  }
  return { of, ready }
}
