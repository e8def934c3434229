import { type Clock, digestOf, type Id, type IdFactory, type Json, systemScope, type TenantScope } from '@medley/kernel'
import { appendEvent, type Store } from '@medley/store'
import {
  findView,
  recordObservation,
  requireRevision,
  requireView,
  type Tx,
  toEngineSpec,
  wantedReplicas,
} from './adapters/queries.ts'
import type { ServingTables } from './adapters/tables.ts'
import { type RevisionSpec, revisionDigest } from './domain/revision.ts'
import type { EngineSpec, GatewayRoute } from './protocol.ts'
import type { DeploymentView, ReplicaObservation, RevisionView } from './views.ts'

export interface NewDeployment {
  readonly name: string
  readonly servedModel: string
  readonly nodeId: string
  readonly spec: RevisionSpec
  /** `running` unless said otherwise; a stopped one gets its revision for when it is started again. */
  readonly desired?: 'running' | 'stopped'
}

export interface EngineWorkload {
  readonly id: string
  readonly kind: 'engine'
  readonly digest: string
  readonly spec: EngineSpec
}

export interface Serving {
  /** Creates the deployment, or a new revision of it when the specification changed. Repeating it changes nothing. */
  deploy(scope: TenantScope, request: NewDeployment): Promise<DeploymentView>
  stop(scope: TenantScope, id: string): Promise<DeploymentView>
  /** Starts a stopped deployment again with its current revision. */
  start(scope: TenantScope, id: string): Promise<DeploymentView>
  list(scope: TenantScope, page: { after: string | null; limit: number }): Promise<readonly DeploymentView[]>
  /** @throws AppError `serving.deployment.unknown` */
  get(scope: TenantScope, id: string): Promise<DeploymentView>
  /** The current or any earlier revision. @throws AppError `serving.revision.unknown` */
  revision(scope: TenantScope, id: string): Promise<RevisionView>
  /** What is wanted on every node, by the node's id: one question for all of a fleet. */
  engineWorkloads(): Promise<ReadonlyMap<string, readonly EngineWorkload[]>>
  observe(nodeId: string, observations: readonly ReplicaObservation[]): Promise<{ changed: boolean }>
  gatewayRoutes(): Promise<readonly GatewayRoute[]>
}

export interface ServingPorts {
  readonly store: Store
  readonly clock: Clock
  readonly ids: IdFactory
}

const SERVING = systemScope('serving')

export function createServing({ store, clock, ids }: ServingPorts): Serving {
  const database = store.tables<ServingTables>()

  async function insertRevision(
    tx: Tx,
    scope: TenantScope,
    deploymentId: string,
    request: NewDeployment,
    digest: string,
  ) {
    const revisionId = ids.next('revision')
    const owner = { tenant_id: scope.tenantId, project_id: projectOf(scope) }
    await tx
      .insertInto('deployment_revisions')
      .values({ id: revisionId, deployment_id: deploymentId, ...owner, digest, spec: JSON.stringify(request.spec) })
      .execute()
    await tx.deleteFrom('replicas').where('deployment_id', '=', deploymentId).execute()
    await tx
      .insertInto('replicas')
      .values({
        id: ids.next('replica'),
        deployment_id: deploymentId,
        revision_id: revisionId,
        ...owner,
        node_id: request.nodeId,
        chip_uuids: [...request.spec.chipUuids],
        state: 'pending',
        restarts: 0,
      })
      .execute()
    await tx
      .updateTable('deployments')
      .set({
        current_revision_id: revisionId,
        desired: request.desired ?? 'running',
        served_model: request.servedModel,
      })
      .where('id', '=', deploymentId)
      .execute()
    await announce(tx, scope, 'serving.deployment.revised', deploymentId, { revisionId, digest })
  }

  function announce(tx: Tx, scope: TenantScope, type: string, subject: string, payload: Json) {
    return appendEvent(
      tx,
      { ids, clock },
      {
        type,
        version: 1,
        tenantId: scope.tenantId,
        actor: scope.actor,
        subject,
        causationId: null,
        correlationId: null,
        occurredAt: new Date(clock.now()),
        payload,
      },
    )
  }

  const want = (scope: TenantScope, id: string, desired: 'running' | 'stopped') =>
    database.run(scope, async (tx) => {
      await requireView(tx, id)
      await tx.updateTable('deployments').set({ desired }).where('id', '=', id).execute()
      await tx.updateTable('replicas').set({ state: 'pending' }).where('deployment_id', '=', id).execute()
      await announce(tx, scope, `serving.deployment.${desired === 'running' ? 'started' : 'stopped'}`, id, {})
      return requireView(tx, id)
    })

  return {
    deploy: (scope, request) =>
      database.run(scope, async (tx) => {
        const digest = revisionDigest(request.spec)
        const existing = await tx
          .selectFrom('deployments')
          .selectAll()
          .where('name', '=', request.name)
          .executeTakeFirst()
        const id = existing?.id ?? ids.next('deployment')
        if (!existing) {
          await tx
            .insertInto('deployments')
            .values({
              id,
              tenant_id: scope.tenantId,
              project_id: projectOf(scope),
              name: request.name,
              served_model: request.servedModel,
              desired: 'running',
              current_revision_id: null,
            })
            .execute()
        }
        const current = existing && (await findView(tx, id))
        const unchanged = current?.revision.digest === digest && existing?.desired === (request.desired ?? 'running')
        if (!unchanged) await insertRevision(tx, scope, id, request, digest)
        return requireView(tx, id)
      }),

    stop: (scope, id) => want(scope, id, 'stopped'),
    start: (scope, id) => want(scope, id, 'running'),

    list: (scope, { after, limit }) =>
      database.run(scope, async (tx) => {
        const rows = await tx
          .selectFrom('deployments')
          .select('id')
          .where('id', '>', after ?? '')
          .where('current_revision_id', 'is not', null)
          .orderBy('id')
          .limit(limit)
          .execute()
        return Promise.all(rows.map((row) => requireView(tx, row.id)))
      }),

    get: (scope, id) => database.run(scope, (tx) => requireView(tx, id)),
    revision: (scope, id) => database.run(scope, (tx) => requireRevision(tx, id)),

    engineWorkloads: () =>
      database.run(SERVING, async (tx) => {
        const workloads = new Map<string, EngineWorkload[]>()
        for (const row of await wantedReplicas(tx).execute()) {
          const spec = toEngineSpec(row)
          const digest = digestOf(spec as unknown as Json)
          const onNode = workloads.get(row.node_id) ?? []
          workloads.set(row.node_id, [...onNode, { id: row.id, kind: 'engine', digest, spec }])
        }
        return workloads
      }),

    observe: (nodeId, observations) =>
      database.run(SERVING, async (tx) => {
        let changed = false
        for (const seen of observations) changed = (await recordObservation(tx, nodeId, seen, clock)) || changed
        return { changed }
      }),

    gatewayRoutes: () =>
      database.run(SERVING, async (tx) => {
        const rows = await wantedReplicas(tx).execute()
        const routes = new Map<string, GatewayRoute>()
        for (const row of rows) {
          const key = `${row.tenant_id} ${row.served_model}`
          const route = routes.get(key) ?? {
            model: row.served_model,
            tenantId: row.tenant_id,
            created: Math.floor(row.deployment_created_at.getTime() / 1000),
            capabilities: [...row.spec.capabilities],
            replicas: [],
          }
          route.replicas.push({
            id: row.id,
            revisionId: row.revision_id,
            endpoint: row.endpoint,
            ready: row.state === 'ready',
            chipUuids: row.chip_uuids,
          })
          routes.set(key, route)
        }
        return [...routes.values()]
      }),
  }
}

function projectOf(scope: TenantScope): Id<'project'> {
  if (!scope.projectId) throw new TypeError('a deployment belongs to a project: the scope names none')
  return scope.projectId
}
