import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Alerting, createAlerting } from '@medley/alerting'
import { healthReasons } from '@medley/drivers'
import { createEnrolment, type Enrolment } from '@medley/enrolment'
import type { JoinAnswer, JoinRequest } from '@medley/enrolment/protocol'
import { createFleet, fleetEvidence, type OpenedFleet } from '@medley/fleet'
import type { Json } from '@medley/kernel'
import { createMonitoring, type Monitoring } from '@medley/monitoring'
import { createSupply, type Supply } from '@medley/supply'
import { type AgentChannel, createAgentChannel } from './agents/channel.ts'
import { createUpgrades, type Upgrades } from './agents/upgrades.ts'
import type { Base } from './compose-base.ts'
import type { Models } from './compose-models.ts'
import { createFleetIndex, type FleetIndex } from './fleet-index.ts'
import { createObserver } from './observer.ts'
import { createOrders, type Orders } from './orders.ts'
import { type OwnNodes, openOwnNodes } from './own-nodes.ts'

/** Nodes and chips: who may join, what they report, what is kept of it and who is called. */
export interface FleetParts {
  readonly fleet: OpenedFleet
  readonly enrolment: Enrolment
  readonly monitoring: Monitoring
  readonly alerting: Alerting
  readonly supply: Supply
  readonly orders: Orders
  readonly index: FleetIndex
  readonly channel: AgentChannel
  readonly upgrades: Upgrades
  readonly ownNodes: OwnNodes
  joinOwn(request: JoinRequest): Promise<JoinAnswer>
  close(): Promise<void>
}

const TICK_MS = 3_000
const EVALUATE_MS = 5_000
const COMPACT_MS = 60_000
const UPGRADE_MS = 15_000
const RETAIN_MS = 600_000
/** How long an alert that is over is kept. */
const ALERTS_KEPT_MS = 90 * 86_400_000

export async function composeFleet(base: Base, models: Models): Promise<FleetParts> {
  const { config, store, clock, ids, live, log, instance, audit, clockwork } = base
  const { sampleIntervalMs } = config.fleet
  const fleet: OpenedFleet = createFleet({
    store,
    clock,
    ids,
    policy: { pollMs: sampleIntervalMs },
    runsAnything: async (nodeId) => orders.runsAnything(nodeId),
  })
  const enrolment = createEnrolment({
    store,
    audit,
    nodes: fleet,
    ids,
    clock,
    randomBytes,
    pepper: instance.secrets.pepper,
    instance,
    log: (message, error) => log.warn({ err: error }, message),
  })
  const monitoring = createMonitoring({
    store,
    clock,
    log: (message, error) => log.warn({ err: error }, message),
  })
  const alerting = await createAlerting({
    store,
    ids,
    clock,
    secret: createHash('sha256').update(`alerting ${instance.secrets.pepper}`).digest(),
    evidenceTexts: { ...healthReasons, ...fleetEvidence },
    timeZone: config.alerts?.timeZone,
    log: (message, fields) => log.warn(fields, message),
  })
  const orders = createOrders({
    fleet,
    serving: models.serving,
    operations: models.operations.all,
    live,
    now: clock.now,
    onError: (operationId, error) => log.error({ operationId, err: error }, 'a measurement was not taken'),
    acceptProving: async (spec, result) => {
      const record = await models.proving.acceptResult(spec as never, result)
      return { recordId: record.id } satisfies Json
    },
  })
  const index = createFleetIndex({ fleet, live, now: clock.now })
  const supply = createSupply({
    store,
    ids,
    clock,
    simulatedChips: async (uuids) => {
      if (uuids.length === 0) return new Set()
      const { byUuid } = await index.picture()
      return new Set(uuids.filter((uuid) => byUuid.get(uuid)?.simulated === true))
    },
  })
  const ownNodes = await openOwnNodes(store)
  const upgrades = createUpgrades({
    directory: base.env.MEDLEY_AGENT_BUNDLE ?? join(config.dataDirectory, 'agent-bundle'),
    instance,
    log: (message, error) => log.warn({ err: error }, message),
  })
  await upgrades.refresh()
  const channel = createAgentChannel({
    instance,
    enrolment,
    fleet,
    monitoring,
    orders,
    cell: index.cell,
    sampleIntervalMs,
    now: clock.now,
    log,
    onChange: () => live.touch('nodes'),
    upgradeFor: ({ nodeId, agentVersion }) => {
      const upgrade = upgrades.current()
      // The factory's own agent is replaced with the factory; nodes without hardware are no programs of their own.
      if (upgrade === null || upgrade.version === agentVersion || ownNodes.ids.includes(nodeId)) return null
      return index.node(nodeId)?.simulated === false ? upgrade : null
    },
    onClaimedTwice: (node, from) => {
      log.warn({ nodeId: node.nodeId, from }, 'two agents claim to be one node')
      const entry = { tenantId: node.tenantId, actor: { kind: 'node', id: node.nodeId }, from } as const
      void audit
        .record({
          ...entry,
          action: 'node.connect',
          subject: node.nodeId,
          outcome: 'denied',
          code: 'server.channel.in-use',
          detail: { bootId: node.bootId },
        })
        .catch((error: unknown) => log.error({ err: error }, 'a denial is missing in the audit'))
    },
  })
  enrolment.onRevoked((nodeId) => {
    const noted = fleet.revoked(nodeId).then(() => live.touch('nodes', 'chips'))
    noted.catch((error: unknown) => log.error({ nodeId, err: error }, 'a revocation is not shown yet'))
  })

  const observe = createObserver({ index, monitoring })
  clockwork.every(TICK_MS, 'fleet', async () => {
    if ((await fleet.tick()).changed) live.touch('nodes', 'chips', 'status')
  })
  clockwork.every(EVALUATE_MS, 'alerts', async () => {
    const { fired, resolved } = await alerting.evaluate(await observe())
    if (fired + resolved > 0) live.touch('alerts')
  })
  clockwork.every(COMPACT_MS, 'compaction', () => monitoring.compact(clock.now()))
  clockwork.every(RETAIN_MS, 'retention', async () => {
    await monitoring.retain(clock.now())
    await alerting.retain(new Date(clock.now() - ALERTS_KEPT_MS))
  })
  clockwork.every(UPGRADE_MS, 'upgrades', async () => {
    await upgrades.refresh()
    channel.offerUpgrades()
  })
  alerting.start()

  return {
    fleet,
    enrolment,
    monitoring,
    alerting,
    supply,
    orders,
    index,
    channel,
    upgrades,
    ownNodes,
    async joinOwn(request) {
      const answer = await enrolment.joinOwn(request)
      await ownNodes.add(answer.nodeId)
      live.touch('nodes')
      return answer
    },
    async close() {
      channel.close()
      orders.close()
      index.close()
      enrolment.close()
      await clockwork.stop()
      await alerting.stop()
      await monitoring.close()
    },
  }
}
