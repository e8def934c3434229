import type { Clock } from '@medley/kernel'
import type { Transaction } from '@medley/store'
import { deploymentState, type RevisionSpec } from '../domain/revision.ts'
import { servingErrors } from '../errors.ts'
import { type EngineSpec, engineFacts } from '../protocol.ts'
import type { DeploymentView, ReplicaObservation, RevisionView } from '../views.ts'
import type { ServingTables } from './tables.ts'

export type Tx = Transaction<ServingTables>

export function wantedReplicas(tx: Tx) {
  return tx
    .selectFrom('replicas')
    .innerJoin('deployments', 'deployments.id', 'replicas.deployment_id')
    .innerJoin('deployment_revisions', 'deployment_revisions.id', 'replicas.revision_id')
    .select([
      'replicas.id',
      'replicas.node_id',
      'replicas.revision_id',
      'replicas.endpoint',
      'replicas.state',
      'replicas.chip_uuids',
      'replicas.tenant_id',
      'deployments.served_model',
      'deployments.created_at as deployment_created_at',
      'deployment_revisions.spec',
    ])
    .where('deployments.desired', '=', 'running')
    .orderBy('replicas.id')
}

export function toEngineSpec(row: {
  id: string
  revision_id: string
  served_model: string
  spec: RevisionSpec
}): EngineSpec {
  const { model, template, engine, config, golden, chipUuids } = row.spec
  return {
    replicaId: row.id,
    revisionId: row.revision_id,
    family: engine.family,
    servedModel: row.served_model,
    modelPath: model.path,
    modelDigest: model.digest,
    template: { ...template, stop: [...template.stop] },
    config,
    golden,
    chipUuids: [...chipUuids],
  }
}

export async function recordObservation(
  tx: Tx,
  nodeId: string,
  seen: ReplicaObservation,
  clock: Clock,
): Promise<boolean> {
  const facts = engineFacts.safeParse(seen.result)
  const result = await tx
    .updateTable('replicas')
    .set({
      state: seen.state,
      endpoint: seen.endpoint,
      restarts: seen.restarts,
      error: JSON.stringify(seen.error),
      progress: JSON.stringify(seen.progress),
      ...(facts.success ? { facts: JSON.stringify(facts.data) } : {}),
      updated_at: new Date(clock.now()),
    })
    .where('id', '=', seen.id)
    .where('node_id', '=', nodeId)
    .where((where) =>
      where.or([
        where('state', '!=', seen.state),
        where('endpoint', 'is distinct from', seen.endpoint),
        where('restarts', '!=', seen.restarts),
        where('progress', 'is distinct from', JSON.stringify(seen.progress) as never),
        where('error', 'is distinct from', JSON.stringify(seen.error) as never),
      ]),
    )
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function requireView(tx: Tx, id: string): Promise<DeploymentView> {
  const view = await findView(tx, id)
  if (!view) throw servingErrors['deployment.unknown']({ id })
  return view
}

/** @throws {AppError} `serving.revision.unknown`, also for a revision of another tenant. */
export async function requireRevision(tx: Tx, id: string): Promise<RevisionView> {
  const row = await tx
    .selectFrom('deployment_revisions')
    .innerJoin('deployments', 'deployments.id', 'deployment_revisions.deployment_id')
    .select([
      'deployment_revisions.id',
      'deployment_revisions.digest',
      'deployment_revisions.spec',
      'deployment_revisions.created_at',
      'deployments.id as deployment_id',
      'deployments.name',
      'deployments.current_revision_id',
    ])
    .where('deployment_revisions.id', '=', id)
    .executeTakeFirst()
  if (!row) throw servingErrors['revision.unknown']({ id })
  return {
    id: row.id,
    deployment: { id: row.deployment_id, name: row.name },
    digest: row.digest,
    createdAt: row.created_at,
    spec: row.spec,
    current: row.current_revision_id === row.id,
  }
}

export async function findView(tx: Tx, id: string): Promise<DeploymentView | null> {
  const row = await tx
    .selectFrom('deployments')
    .innerJoin('deployment_revisions', 'deployment_revisions.id', 'deployments.current_revision_id')
    .select([
      'deployments.id',
      'deployments.name',
      'deployments.served_model',
      'deployments.desired',
      'deployments.created_at',
      'deployment_revisions.id as revision_id',
      'deployment_revisions.digest',
      'deployment_revisions.spec',
      'deployment_revisions.created_at as revised_at',
    ])
    .where('deployments.id', '=', id)
    .executeTakeFirst()
  if (!row) return null
  const replicas = await tx.selectFrom('replicas').selectAll().where('deployment_id', '=', id).orderBy('id').execute()
  return {
    id: row.id,
    name: row.name,
    servedModel: row.served_model,
    state: deploymentState(
      row.desired,
      replicas.map((replica) => replica.state),
    ),
    revision: { id: row.revision_id, digest: row.digest, createdAt: row.revised_at, spec: row.spec },
    replicas: replicas.map((replica) => ({
      id: replica.id,
      chipUuids: replica.chip_uuids,
      state: replica.state,
      endpoint: replica.endpoint,
      restarts: replica.restarts,
      error: replica.error,
      progress: replica.progress,
      facts: replica.facts,
    })),
    createdAt: row.created_at,
  }
}
