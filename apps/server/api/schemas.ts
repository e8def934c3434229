/**
 * Shapes of the control API. The console and the CLI take their types from here, the OpenAPI file is generated from
 * here, and every response is parsed by the same schema in the contract tests.
 */

import { z } from '@hono/zod-openapi'
import { chipFacts, workloadStatus } from '@medley/fleet/protocol'
import { coded } from './coded-schema.ts'
import { chipStanding } from './fleet-schemas.ts'

const timestamp = z.iso.datetime().openapi({ description: 'ISO 8601 in UTC' })
const nullableText = z.string().nullable()
const count = z.number().int().nonnegative()
/** Evidence and specifications are shown as they are stored; their own modules know their shapes. */
const anyJson = z.unknown().openapi({ description: 'Any JSON value' })
const localized = z.object({ en: z.string(), 'zh-CN': z.string() })

/** Lists are paged by an opaque cursor: `null` means there is no further page. */
export function page<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), nextCursor: nullableText })
}

/** Text that a client hands in: PostgreSQL stores no NUL, and no name needs a control character. */
const given = z.string().regex(/^\P{Cc}*$/u, 'must not hold control characters')
/** An id, a name or a cursor as a client gives it back. */
export const reference = given.min(1).max(500)
export const oneOf = { params: z.object({ id: reference }) }

export const pageQuery = z.strictObject({
  cursor: reference.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string(),
    detail: nullableText,
    errors: z.array(z.object({ path: z.string(), message: z.string() })),
    hint: z.string(),
  })
  .openapi('Problem')

export const axisScore = z
  .object({
    chipUuid: z.string(),
    event: z.enum(['prefill', 'decode']),
    state: z.enum(['partial', 'noisy', 'void']),
    /** 0-100; null when there is no number. */
    score: z.number().nullable(),
    low: z.number().nullable(),
    high: z.number().nullable(),
    /** Linear efficiency against the measured roofline. */
    efficiency: z.number().nullable(),
    tokensPerSecond: z.number().nullable(),
    reasons: z.array(coded),
    recordId: z.string(),
    measuredAt: timestamp,
  })
  .openapi('AxisScore')
export type AxisScore = z.infer<typeof axisScore>

export const fitness = z
  .object({
    axes: z.record(z.string(), axisScore),
    /** 0-100 once the full suites have run. */
    fitness: z.number().nullable(),
    reason: nullableText,
  })
  .openapi('Fitness')
export type Fitness = z.infer<typeof fitness>

export const chip = z
  .object({
    id: z.string(),
    nodeId: z.string(),
    nodeName: z.string(),
    /** Of a node without hardware: never placed on, never billed. */
    simulated: z.boolean(),
    facts: chipFacts,
    ...chipStanding.shape,
    firstSeenAt: timestamp,
    lastSeenAt: timestamp,
    score: fitness,
    deployments: z.array(z.object({ id: z.string(), name: z.string() })),
  })
  .openapi('Chip')
export type Chip = z.infer<typeof chip>

export const provingRecord = z
  .object({
    id: z.string(),
    runId: z.string(),
    suite: z.string(),
    chipUuid: z.string(),
    digest: z.string(),
    signature: z.object({ keyId: z.string(), algorithm: z.string(), value: z.string() }),
    /** Whether digest and signature hold now, checked when read. */
    verified: z.boolean(),
    scores: z.array(axisScore),
    /** All inputs and raw samples, as measured. */
    evidence: anyJson,
    createdAt: timestamp,
  })
  .openapi('ProvingRecord')
export type ProvingRecord = z.infer<typeof provingRecord>

export const model = z
  .object({
    id: z.string(),
    name: z.string(),
    displayName: localized,
    state: z.enum(['absent', 'fetching', 'ready', 'failed']),
    digest: nullableText,
    bytes: z.number().nullable(),
    source: nullableText,
    licence: nullableText,
    parameters: z.number().nullable(),
    quantisation: nullableText,
    error: z.object({ code: z.string(), detail: z.string() }).nullable(),
    createdAt: timestamp,
  })
  .openapi('Model')
export type Model = z.infer<typeof model>

export const deploymentState = z.enum(['pending', 'starting', 'checking', 'ready', 'degraded', 'failed', 'stopped'])

export const deployment = z
  .object({
    id: z.string(),
    name: z.string(),
    state: deploymentState,
    servedModel: z.string(),
    revision: z.object({
      id: z.string(),
      digest: z.string(),
      createdAt: timestamp,
      /** Model, template, engine, configuration, chip and recipe digests: what an answer can be traced to. */
      spec: anyJson,
    }),
    replicas: z.array(
      z.object({
        id: z.string(),
        chipUuids: z.array(z.string()),
        state: z.string(),
        restarts: count,
        error: coded.nullable(),
        progress: workloadStatus.shape.progress,
        facts: anyJson.nullable(),
      }),
    ),
    createdAt: timestamp,
  })
  .openapi('Deployment')
export type Deployment = z.infer<typeof deployment>

export const revision = deployment.shape.revision
  .extend({
    deployment: z.object({ id: z.string(), name: z.string() }),
    /** Whether the deployment is still in this form. */
    current: z.boolean(),
  })
  .openapi('Revision')
export type Revision = z.infer<typeof revision>

export const apiKey = z
  .object({
    id: z.string(),
    name: z.string(),
    prefix: z.string(),
    scopes: z.array(z.string()),
    createdAt: timestamp,
    expiresAt: timestamp.nullable(),
    revokedAt: timestamp.nullable(),
    lastUsedAt: timestamp.nullable(),
  })
  .openapi('ApiKey')
export type ApiKey = z.infer<typeof apiKey>

export const newApiKey = z
  .strictObject({
    name: given.trim().min(1).max(100),
    expiresAt: timestamp.optional(),
  })
  .openapi('NewApiKey')

export const createdApiKey = apiKey.extend({ key: z.string() }).openapi('CreatedApiKey', {
  description: 'The only answer that ever holds the key itself',
})
export type CreatedApiKey = z.infer<typeof createdApiKey>

export const usageEvent = z
  .object({
    id: z.string(),
    requestId: z.string(),
    keyId: z.string(),
    endpoint: z.string(),
    model: nullableText,
    revisionId: nullableText,
    chipUuids: z.array(z.string()),
    outcome: z.enum(['completed', 'aborted', 'failed', 'refused', 'interrupted']),
    httpStatus: z.number().int(),
    errorCode: nullableText,
    stream: z.boolean(),
    promptTokens: count.nullable(),
    cachedTokens: count.nullable(),
    completionTokens: count.nullable(),
    timeToFirstTokenMs: z.number().nullable(),
    durationMs: z.number().nullable(),
    occurredAt: timestamp,
  })
  .openapi('UsageEvent')
export type UsageEvent = z.infer<typeof usageEvent>

export const usageSummary = z
  .object({
    groups: z.array(
      z.object({
        /** Null for requests that named no model. */
        group: nullableText,
        requests: count,
        /** Requests that ran and whose token counts are unknown; they are in no sum. */
        unknownRequests: count,
        promptTokens: count,
        cachedTokens: count,
        completionTokens: count,
      }),
    ),
  })
  .openapi('UsageSummary')
export type UsageSummary = z.infer<typeof usageSummary>

export const startupStep = z.object({
  step: z.enum(['chips', 'model', 'proving', 'deployment']),
  state: z.enum(['waiting', 'working', 'done', 'failed', 'skipped']),
  done: count,
  total: count.nullable(),
  unit: z.string(),
  detail: coded.nullable(),
})
export type StartupStep = z.infer<typeof startupStep>

export const status = z
  .object({
    /** Accepts work: server, store, gateway and agent answer, and each deployment is ready or has said why not. */
    ready: z.boolean(),
    version: z.string(),
    instanceId: z.string(),
    startedAt: timestamp,
    store: z.object({ kind: z.enum(['embedded', 'external']), version: z.string() }),
    steps: z.array(startupStep),
    chips: z.array(
      z.object({
        id: z.string(),
        uuid: z.string(),
        vendor: z.string(),
        product: z.string(),
        health: z.string(),
        simulated: z.boolean(),
      }),
    ),
    /** All of them, also where `chips` is cut short. */
    simulated: z.object({ chips: count, nodes: count }),
    models: z.array(z.object({ id: z.string(), name: z.string(), state: z.string() })),
    deployments: z.array(
      z.object({ id: z.string(), name: z.string(), state: z.string(), servedModel: z.string(), restarts: count }),
    ),
    score: z.object({
      axes: z.record(z.string(), z.number().nullable()),
      fitness: z.number().nullable(),
      reason: nullableText,
    }),
    endpoints: z.object({ console: z.string(), gateway: z.string() }),
    usage: z.object({ requests24h: count, completionTokens24h: count, errors24h: count }),
  })
  .openapi('Status')
export type Status = z.infer<typeof status>

export const operation = z
  .object({
    id: z.string(),
    kind: z.string(),
    state: z.enum(['running', 'done', 'failed']),
    progress: workloadStatus.shape.progress,
    error: coded.nullable(),
    result: anyJson.nullable(),
    createdAt: timestamp,
  })
  .openapi('Operation')
export type Operation = z.infer<typeof operation>

export const session = z
  .object({
    user: z.object({ id: z.string(), name: z.string(), email: z.string().nullable() }),
    tenant: z.object({ id: z.string(), name: localized }),
    role: z.string(),
    permissions: z.array(z.string()),
    instanceId: z.string(),
    gatewayUrl: z.string(),
  })
  .openapi('Session')
export type Session = z.infer<typeof session>
