import { setTimeout as sleep } from 'node:timers/promises'
import type { Viewer } from '@medley/fleet'
import type { Identity } from '@medley/identity'
import type { TenantScope } from '@medley/kernel'
import { createBringUp } from './bring-up.ts'
import { type Base, composeBase } from './compose-base.ts'
import { composeFleet, type FleetParts } from './compose-fleet.ts'
import { composeModels, type Models } from './compose-models.ts'
import { composeOtlp } from './compose-otlp.ts'
import { composeSupply } from './compose-supply.ts'
import { publicUrlOf, type ServerConfig } from './config.ts'
import { serverErrors } from './errors.ts'
import type { Factory } from './factory.ts'
import { createDenials } from './http/denials.ts'
import type { Principal } from './http/guard.ts'
import { createIdempotency } from './idempotency.ts'
import { provingSubject } from './orders.ts'
import { refuseUnfit } from './placement.ts'
import { createPlaygroundKeys } from './playground-keys.ts'
import { presentChip } from './present.ts'
import { createSnapshots } from './snapshots.ts'
import { createStarter } from './starter-tasks.ts'
import { createStatus } from './status.ts'

export interface ComposedServer {
  readonly factory: Factory
  /** Takes the factory to its first answer; ends when that is done or the signal aborts. */
  bringUp(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** The one place where modules meet: each is handed the ports it names, and nothing else. */
export async function compose(config: ServerConfig, env: NodeJS.ProcessEnv): Promise<ComposedServer> {
  const base = await composeBase(config, env)
  const models = composeModels(base)
  const parts = await composeFleet(base, models)
  const supplyParts = await composeSupply(base, models, parts)
  const otlp = composeOtlp(base, parts)
  const { store, identity, live, clock, log } = base
  const startedAt = new Date(clock.now())

  const playgroundKeys = createPlaygroundKeys(base.instance.secrets.pepper)
  const snapshots = createSnapshots({
    live,
    now: clock.now,
    build: async () => ({
      keys: [...(await identity.keys.snapshotKeys()).keys, ...playgroundKeys.snapshot(await identity.projects())],
      routes: [...(await models.serving.gatewayRoutes())],
    }),
  })
  const starterOf = (scope: TenantScope) =>
    createStarter({
      ...models,
      fleet: parts.fleet,
      ownNodes: parts.ownNodes,
      operations: models.operations.of(scope),
      live,
      heardOf: parts.orders.heardOf,
      owner: scope,
      reported: (nodeId) => parts.orders.lastHeardAt([nodeId]) !== null,
      model: config.starter.model,
      proveAtStart: config.starter.prove,
    })
  const bringUp = createBringUp({
    tasks: starterOf(base.home).tasks,
    onChange: () => live.touch('status'),
    onError: (step, error) => log.warn({ step, err: error }, 'a start-up step failed'),
    sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
  })
  const status = createStatus({
    ...models,
    ...parts,
    config,
    clock,
    store,
    instanceId: base.instance.id,
    startedAt,
    bringUp,
    snapshots,
  })

  const factory: Factory = {
    ...base,
    ...models,
    ...parts,
    ...supplyParts,
    ...spanning(base, models, parts),
    internalToken: base.instance.secrets.internalToken,
    denials: createDenials(base),
    idempotency: createIdempotency({ store, clock }),
    snapshots,
    status,
    principalOf: (headers) => principalOf(identity, base.home.tenantId, headers),
    prove: async (scope, chip) => {
      refuseUnfit(chip, parts.ownNodes)
      // The chip belongs to all tenants, the operation to one: two measurements at once would spoil each other.
      const subject = provingSubject(chip.nodeId, chip.facts.uuid)
      const running = await models.operations.all.running('proving', subject)
      const mine = await models.operations.of(scope).running('proving', subject)
      if (running.length > mine.length) throw serverErrors['proving.running']()
      return starterOf(scope).prove(chip)
    },
    playgroundKey: playgroundKeys.keyFor,
  }
  return {
    factory,
    bringUp: (signal) => bringUp.run(signal),
    close: async () => {
      await otlp?.stop()
      await parts.close()
      await store.close()
    },
  }
}

/** The questions that no module can answer alone. */
function spanning(base: Base, models: Models, parts: FleetParts) {
  const { config, identity, instance, live } = base
  return {
    sessionView: async ({ session }: Principal) => ({
      user: { id: session.userId, name: session.name, email: session.email },
      tenant: { id: session.tenantId, name: await identity.tenantName(session.tenantId) },
      role: session.role,
      permissions: [...identity.permissionsOf(session.role)],
      instanceId: instance.id,
      gatewayUrl: config.gatewayUrl,
    }),
    signInLink: async ({ session }: Principal) => {
      const { token, expiresAt } = await identity.oneTimeLinks.create(session.userId)
      return { url: `${publicUrlOf(config)}/sign-in#token=${token}`, expiresAt: expiresAt.toISOString() }
    },
    describeChips: async (scope: TenantScope, chips: Parameters<Factory['describeChips']>[1]) => {
      const axes = await models.proving.scores(chips.map((chip) => chip.facts.uuid))
      const deployments = await models.serving.list(scope, { after: null, limit: 500 })
      return chips.map((chip) => presentChip(chip, axes, deployments, parts.monitoring.latest(chip.facts.uuid)))
    },
    refuseSimulated: async (chipUuids: readonly string[]) => {
      const { byUuid } = await parts.index.picture()
      if (chipUuids.some((uuid) => byUuid.get(uuid)?.simulated)) throw serverErrors['chip.simulated']()
    },
    revokeNode: async (...asked: Parameters<Factory['revokeNode']>) => {
      await parts.enrolment.revokeNode(...asked)
      // Also told by the listener; here so that the answer already shows it.
      await parts.fleet.revoked(asked[1])
      live.touch('nodes', 'chips', 'audit')
    },
  }
}

async function principalOf(identity: Identity, homeTenant: string, headers: Headers): Promise<Principal | null> {
  const operator = await identity.operatorOf(headers)
  const session = operator ?? (await identity.sessionOf(headers))
  if (!session) return null
  const { userId, tenantId, projectId, role } = session
  const scope: TenantScope = { kind: 'tenant', tenantId, projectId, actor: { kind: 'user', id: userId } }
  const home = tenantId === homeTenant
  const all = home && role === 'operator'
  const viewer: Viewer = all ? { all: true } : { all: false, tenantId }
  const reach = all ? ({ kind: 'system', actor: scope.actor } as const) : scope
  return { session, role, scope, home, viewer, reach, by: operator ? 'token' : 'session' }
}
