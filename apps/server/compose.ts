import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createFleet, fleetMigrations } from '@medley/fleet'
import { createIdentity, type Identity, identityMigrations, openInstance } from '@medley/identity'
import { createIdFactory, type Json, type TenantScope } from '@medley/kernel'
import { createProving, provingMigrations } from '@medley/proving'
import { createRegistry, registryMigrations } from '@medley/registry'
import { createServing, servingMigrations } from '@medley/serving'
import { appendEvent, migrate, openStore, storeMigrations } from '@medley/store'
import { createSupply, supplyMigrations } from '@medley/supply'
import { createLogger, createMetricsRegistry } from '@medley/telemetry'
import { createBringUp } from './bring-up.ts'
import { publicUrlOf, type ServerConfig } from './config.ts'
import { serverErrors } from './errors.ts'
import type { Factory } from './factory.ts'
import type { Principal } from './http/guard.ts'
import { createIdempotency, idempotencyMigrations } from './idempotency.ts'
import { createLive } from './live.ts'
import { createOperations, operationMigrations } from './operations.ts'
import { createOrders, provingSubject } from './orders.ts'
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
  const clock = { now: Date.now }
  const ids = createIdFactory(clock, randomBytes)
  const log = createLogger({ process: 'server' })
  const metrics = createMetricsRegistry('server')
  const live = createLive()
  const startedAt = new Date(clock.now())

  const store = openStore({
    ...(config.store.kind === 'embedded'
      ? { connection: config.store.connection }
      : { databaseUrl: env.DATABASE_URL ?? '' }),
    log: (message, error) => log.warn({ err: error }, message),
  })
  const instance = await openInstance(config.dataDirectory)
  await migrate(
    store,
    storeMigrations,
    identityMigrations,
    fleetMigrations,
    provingMigrations,
    supplyMigrations,
    registryMigrations,
    servingMigrations,
    operationMigrations,
    idempotencyMigrations,
  )
  const identity = await createIdentity({
    store,
    instance,
    clock,
    ids,
    randomBytes,
    baseUrl: publicUrlOf(config),
    trustedOrigins: [new URL(config.consoleUrl).origin],
    onTenantCreated: () => live.touch('keys'),
    log: (message, detail) => log.warn({ detail }, message),
  })
  const home = await identity.bootstrap()
  const owner: TenantScope = {
    kind: 'tenant',
    tenantId: home.tenantId,
    projectId: home.projectId,
    actor: { kind: 'system', id: 'bring-up' },
  }

  const fleet = createFleet({ store, clock, ids })
  const serving = createServing({ store, clock, ids })
  const supply = createSupply({ store, ids, clock })
  const operations = createOperations({ store, clock, ids })
  const registry = createRegistry({
    store,
    clock,
    ids,
    directory: `${config.dataDirectory}/models`,
    fetch: {
      env: { ...env, ...(config.starter.file ? { MEDLEY_STARTER_MODEL: config.starter.file } : {}) },
    },
  })
  const proving = createProving({
    store,
    clock,
    ids,
    sign: (bytes) => ({
      keyId: instance.id,
      signature: Buffer.from(instance.sign(bytes)).toString('base64url'),
    }),
    verifySignature: (bytes, { keyId, signature }) =>
      keyId === instance.id && instance.verify(bytes, Buffer.from(signature, 'base64url')),
    publish: (tx, event) => appendEvent(tx, { ids, clock }, event),
  })

  const playgroundKeys = createPlaygroundKeys(instance.secrets.pepper)
  const snapshots = createSnapshots({
    live,
    now: clock.now,
    build: async () => ({
      keys: [...(await identity.keys.snapshotKeys()).keys, ...playgroundKeys.snapshot(await identity.projects())],
      routes: [...(await serving.gatewayRoutes())],
    }),
  })
  const orders = createOrders({
    fleet,
    serving,
    operations: operations.all,
    live,
    now: clock.now,
    onError: (operationId, error) => log.error({ operationId, err: error }, 'a measurement was not taken'),
    acceptProving: async (spec, result) => {
      const record = await proving.acceptResult(spec as never, result)
      return { recordId: record.id } satisfies Json
    },
  })
  const starterOf = (scope: TenantScope) =>
    createStarter({
      fleet,
      registry,
      serving,
      proving,
      operations: operations.of(scope),
      live,
      heardOf: orders.heardOf,
      owner: scope,
      startedAt: startedAt.getTime(),
      model: config.starter.model,
      proveAtStart: config.starter.prove,
    })
  const starter = starterOf(owner)
  const bringUp = createBringUp({
    tasks: starter.tasks,
    onChange: () => live.touch('status'),
    onError: (step, error) => log.warn({ step, err: error }, 'a start-up step failed'),
    sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
  })
  const status = createStatus({
    config,
    instanceId: instance.id,
    startedAt,
    clock,
    store,
    bringUp,
    orders,
    snapshots,
    fleet,
    proving,
    registry,
    serving,
    supply,
  })

  const factory: Factory = {
    config,
    clock,
    ids,
    log,
    metrics,
    internalToken: instance.secrets.internalToken,
    identity,
    fleet,
    proving,
    registry,
    serving,
    supply,
    operations,
    idempotency: createIdempotency({ store, clock }),
    live,
    orders,
    snapshots,
    status,
    principalOf: (headers) => principalOf(identity, headers),
    sessionView: async ({ session }) => ({
      user: { id: session.userId, name: session.name, email: session.email },
      tenant: { id: session.tenantId, name: await identity.tenantName(session.tenantId) },
      role: session.role,
      permissions: [...identity.permissionsOf(session.role)],
      instanceId: instance.id,
      gatewayUrl: config.gatewayUrl,
    }),
    signInLink: async ({ session }) => {
      const { token, expiresAt } = await identity.oneTimeLinks.create(session.userId)
      return { url: `${publicUrlOf(config)}/sign-in#token=${token}`, expiresAt: expiresAt.toISOString() }
    },
    describeChips: async (scope, chips) => {
      const axes = await proving.scores(chips.map((chip) => chip.facts.uuid))
      const deployments = await serving.list(scope, { after: null, limit: 500 })
      return chips.map((chip) => presentChip(chip, axes, deployments))
    },
    prove: async (scope, chip) => {
      // The chip belongs to all tenants, the operation to one: two measurements at once would spoil each other.
      const subject = provingSubject(chip.nodeId, chip.facts.uuid)
      const running = await operations.all.running('proving', subject)
      const mine = await operations.of(scope).running('proving', subject)
      if (running.length > mine.length) throw serverErrors['proving.running']()
      return starterOf(scope).prove(chip)
    },
    playgroundKey: playgroundKeys.keyFor,
  }
  return { factory, bringUp: (signal) => bringUp.run(signal), close: () => store.close() }
}

async function principalOf(identity: Identity, headers: Headers): Promise<Principal | null> {
  const operator = await identity.operatorOf(headers)
  const session = operator ?? (await identity.sessionOf(headers))
  if (!session) return null
  const { userId, tenantId, projectId, role } = session
  const scope: TenantScope = { kind: 'tenant', tenantId, projectId, actor: { kind: 'user', id: userId } }
  return { session, role, scope, by: operator ? 'token' : 'session' }
}
