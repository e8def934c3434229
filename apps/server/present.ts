import type { ChipView } from '@medley/fleet'
import type { ApiKeyRecord } from '@medley/identity'
import type { ChipReading } from '@medley/monitoring'
import type { AxisScore as MeasuredAxis, ProvingRecord as MeasuredRecord, Verdict } from '@medley/proving'
import type { Model as RegistryModel } from '@medley/registry'
import type { DeploymentView, RevisionView } from '@medley/serving'
import type { UsageEvent as MeteredEvent } from '@medley/supply'
import type {
  ApiKey,
  AxisScore,
  Chip,
  Deployment,
  Fitness,
  Model,
  Operation,
  ProvingRecord,
  Revision,
  UsageEvent,
} from './api/schemas.ts'
import type { OperationView } from './operations.ts'
import { presentStanding } from './present-fleet.ts'

/** Why there is no overall fitness yet: two axes of the quick suite are not the full suites. */
const FITNESS_REASON = 'full_suites_not_run'

function presentAxis(axis: MeasuredAxis): AxisScore {
  return {
    ...axis,
    reasons: axis.reasons.map(({ code, params }) => ({
      code,
      params: Object.fromEntries(Object.entries(params).map(([key, value]) => [key, String(value)])),
    })),
    measuredAt: axis.measuredAt.toISOString(),
  }
}

export function presentFitness(axes: readonly MeasuredAxis[]): Fitness {
  return {
    axes: Object.fromEntries(axes.map((axis) => [axis.event, presentAxis(axis)])),
    fitness: null,
    reason: axes.length === 0 ? 'not_proved' : FITNESS_REASON,
  }
}

export function presentChip(
  chip: ChipView,
  axes: readonly MeasuredAxis[],
  deployments: readonly DeploymentView[],
  reading: ChipReading | null,
): Chip {
  const uuid = chip.facts.uuid
  return {
    id: chip.id,
    nodeId: chip.nodeId,
    nodeName: chip.nodeName,
    simulated: chip.simulated,
    facts: chip.facts,
    ...presentStanding(chip, reading),
    firstSeenAt: chip.firstSeenAt.toISOString(),
    lastSeenAt: chip.lastSeenAt.toISOString(),
    score: presentFitness(axes.filter((axis) => axis.chipUuid === uuid)),
    deployments: deployments
      .filter((item) => item.state !== 'stopped' && item.replicas.some((replica) => replica.chipUuids.includes(uuid)))
      .map(({ id, name }) => ({ id, name })),
  }
}

export function presentRecord(record: MeasuredRecord, verdict: Verdict): ProvingRecord {
  return {
    id: record.id,
    runId: record.runId,
    suite: record.suite,
    chipUuid: record.chipUuid,
    digest: record.digest,
    signature: record.signature,
    verified: verdict.digest && verdict.signature && verdict.scores,
    scores: record.scores.map(presentAxis),
    evidence: record.evidence,
    createdAt: record.createdAt.toISOString(),
  }
}

export function presentModel(model: RegistryModel, facts: ModelFacts | null): Model {
  return {
    id: model.id,
    name: model.name,
    displayName: { en: model.displayName, 'zh-CN': model.displayName },
    state: model.state === 'ready' ? 'ready' : 'failed',
    digest: model.digest,
    bytes: model.bytes,
    source: model.source,
    licence: facts?.licence ?? null,
    parameters: facts?.parameters ?? null,
    quantisation: facts?.quantisation ?? null,
    error: model.state === 'ready' ? null : { code: 'registry.model.damaged', detail: model.path },
    createdAt: model.createdAt.toISOString(),
  }
}

/** What the catalogue knows of a model beyond its bytes. */
export interface ModelFacts {
  readonly licence: string
  readonly parameters: number
  readonly quantisation: string
}

export function presentRevision(view: RevisionView): Revision {
  return {
    id: view.id,
    digest: view.digest,
    createdAt: view.createdAt.toISOString(),
    spec: view.spec,
    deployment: { ...view.deployment },
    current: view.current,
  }
}

export function presentDeployment(view: DeploymentView): Deployment {
  return {
    id: view.id,
    name: view.name,
    state: view.state,
    servedModel: view.servedModel,
    revision: {
      id: view.revision.id,
      digest: view.revision.digest,
      createdAt: view.revision.createdAt.toISOString(),
      spec: view.revision.spec,
    },
    replicas: view.replicas.map((replica) => ({
      id: replica.id,
      chipUuids: [...replica.chipUuids],
      state: replica.state,
      restarts: replica.restarts,
      error: replica.error && { code: replica.error.code, params: { ...replica.error.params } },
      progress: replica.progress,
      facts: replica.facts,
    })),
    createdAt: view.createdAt.toISOString(),
  }
}

export function presentOperation(view: OperationView): Operation {
  return {
    id: view.id,
    kind: view.kind,
    state: view.state,
    progress: view.progress,
    error: view.error,
    result: view.result,
    createdAt: view.createdAt.toISOString(),
  }
}

export function presentKey(key: ApiKeyRecord): ApiKey {
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    scopes: [...key.scopes],
    createdAt: key.createdAt.toISOString(),
    expiresAt: key.expiresAt?.toISOString() ?? null,
    revokedAt: key.revokedAt?.toISOString() ?? null,
    lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
  }
}

export function presentUsage(event: MeteredEvent): UsageEvent {
  return {
    id: event.id,
    requestId: event.requestId,
    keyId: event.keyId,
    endpoint: event.endpoint,
    model: event.model,
    revisionId: event.revisionId,
    chipUuids: [...event.chipUuids],
    outcome: event.outcome,
    httpStatus: event.httpStatus,
    errorCode: event.errorCode,
    stream: event.stream,
    promptTokens: event.promptTokens,
    cachedTokens: event.cachedTokens,
    completionTokens: event.completionTokens,
    timeToFirstTokenMs: event.timeToFirstTokenMs,
    durationMs: event.durationMs,
    occurredAt: event.occurredAt.toISOString(),
  }
}
