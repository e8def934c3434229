/**
 * What the control plane tells an engine process and a gateway worker. No dependency but zod, so that both can
 * import it without the store.
 */
import { z } from 'zod'

const count = z.number().int().nonnegative()

/** A chat template, pinned: two engines render the same prompt or they would differ in quality for no reason. */
export const chatTemplate = z.object({
  name: z.string(),
  /** Jinja source over `messages` and `add_generation_prompt`. */
  text: z.string(),
  systemPrompt: z.string().nullable(),
  /** Strings that end an answer. */
  stop: z.array(z.string()),
})
export type ChatTemplate = z.infer<typeof chatTemplate>

export const engineConfig = z.object({
  /** Requests that are decoded together. */
  slots: count.min(1).max(256),
  /** Tokens of context of each slot. */
  contextTokens: count.min(128),
  threads: count.min(1),
  /** Most prompt tokens in one step. */
  batchTokens: count.min(32),
  flashAttention: z.boolean(),
  /** Draft tokens looked up in the prompt itself; null switches speculation off. */
  promptLookup: z.object({ minTokens: count.min(1), maxTokens: count.min(1) }).nullable(),
  /** Requests that may wait for a slot; the next is refused with 503 and Retry-After. */
  maxQueue: count,
})
export type EngineConfig = z.infer<typeof engineConfig>

export const goldenCase = z.object({ question: z.string(), mustContain: z.string(), maxTokens: count.min(1) })
export type GoldenCase = z.infer<typeof goldenCase>

/** Spec of a workload of kind `engine`: everything an engine process needs, nothing it has to look up. */
export const engineSpec = z.object({
  replicaId: z.string(),
  revisionId: z.string(),
  family: z.string(),
  /** The name clients ask for. */
  servedModel: z.string(),
  modelPath: z.string(),
  modelDigest: z.string(),
  template: chatTemplate,
  config: engineConfig,
  golden: goldenCase.nullable(),
  chipUuids: z.array(z.string()),
})
export type EngineSpec = z.infer<typeof engineSpec>

/** What a ready engine says of itself; becomes part of the evidence of its deployment revision. */
export const engineFacts = z.object({
  engineVersion: z.string(),
  /** The kernel variant in use, such as `zen4`. */
  binaryVariant: z.string(),
  binaryDigest: z.string(),
  modelParameters: z.number().nullable(),
  modelBytes: z.number(),
  trainContextTokens: z.number().nullable(),
  embeddingLength: z.number().nullable(),
  kvBytesPerToken: z.number().nullable(),
  goldenAnswer: z.string().nullable(),
})
export type EngineFacts = z.infer<typeof engineFacts>

export const gatewayKey = z.object({
  id: z.string(),
  /** The public part of the key, by which it is found. */
  prefix: z.string(),
  /** HMAC-SHA-256 of the whole key under the instance's pepper, hex. */
  hash: z.string(),
  tenantId: z.string(),
  projectId: z.string(),
  scopes: z.array(z.string()),
  expiresAt: z.number().nullable(),
})
export type GatewayKey = z.infer<typeof gatewayKey>

export const gatewayReplica = z.object({
  id: z.string(),
  revisionId: z.string(),
  endpoint: z.string().nullable(),
  ready: z.boolean(),
  chipUuids: z.array(z.string()),
})

export const gatewayRoute = z.object({
  model: z.string(),
  /** Who may call it and see it listed; null is everybody. */
  tenantId: z.string().nullable().default(null),
  created: z.number(),
  capabilities: z.array(z.enum(['chat', 'completion', 'embedding'])),
  replicas: z.array(gatewayReplica),
})
export type GatewayRoute = z.infer<typeof gatewayRoute>

/** Everything a gateway worker needs to serve without the server; kept on disk beside the worker. */
export const gatewaySnapshot = z.object({
  revision: z.number().int(),
  keys: z.array(gatewayKey),
  routes: z.array(gatewayRoute),
})
export type GatewaySnapshot = z.infer<typeof gatewaySnapshot>
