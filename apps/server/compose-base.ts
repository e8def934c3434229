import { randomBytes } from 'node:crypto'
import { alertingMigrations } from '@medley/alerting'
import { type Audit, auditMigrations, createAudit } from '@medley/audit'
import { enrolmentMigrations } from '@medley/enrolment'
import { fleetMigrations } from '@medley/fleet'
import { createIdentity, type Identity, type Instance, identityMigrations, openInstance } from '@medley/identity'
import { type Clock, createIdFactory, type IdFactory, type TenantScope } from '@medley/kernel'
import { monitoringMigrations } from '@medley/monitoring'
import { provingMigrations } from '@medley/proving'
import { registryMigrations } from '@medley/registry'
import { servingMigrations } from '@medley/serving'
import { migrate, type OpenedStore, openStore, storeMigrations } from '@medley/store'
import { supplyMigrations } from '@medley/supply'
import { createLogger, createMetricsRegistry, type Logger, type Registry as Metrics } from '@medley/telemetry'
import { type Clockwork, createClockwork } from './clockwork.ts'
import { publicUrlOf, type ServerConfig } from './config.ts'
import { idempotencyMigrations } from './idempotency.ts'
import { createLive, type Live } from './live.ts'
import { operationMigrations } from './operations.ts'
import { ownNodeMigrations } from './own-nodes.ts'

/** What every module is handed: store, time, names, and who the factory is. */
export interface Base {
  readonly config: ServerConfig
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
  readonly ids: IdFactory
  readonly log: Logger
  readonly metrics: Metrics
  readonly live: Live
  readonly store: OpenedStore
  readonly instance: Instance
  readonly identity: Identity
  readonly audit: Audit
  readonly clockwork: Clockwork
  /** The centre's own tenant. */
  readonly home: TenantScope
}

export async function composeBase(config: ServerConfig, env: NodeJS.ProcessEnv): Promise<Base> {
  const clock = { now: Date.now }
  const ids = createIdFactory(clock, randomBytes)
  const log = createLogger({ process: 'server' })
  const metrics = createMetricsRegistry('server')
  const live = createLive()
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
    auditMigrations,
    fleetMigrations,
    enrolmentMigrations,
    monitoringMigrations,
    alertingMigrations,
    provingMigrations,
    supplyMigrations,
    registryMigrations,
    servingMigrations,
    operationMigrations,
    idempotencyMigrations,
    ownNodeMigrations,
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
  const audit = createAudit({ store, ids, clock, onRecorded: () => live.touch('audit') })
  const { tenantId, projectId } = await identity.bootstrap()
  return {
    config,
    env,
    clock,
    ids,
    log,
    metrics,
    live,
    store,
    instance,
    identity,
    audit,
    clockwork: createClockwork((name, error) => log.warn({ name, err: error }, 'background work failed')),
    home: { kind: 'tenant', tenantId, projectId, actor: { kind: 'system', id: 'bring-up' } },
  }
}
