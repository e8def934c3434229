/**
 * How a node joins and what is said on its one connection. The agent dials out (WebSocket, JSON text frames) to
 * {@link CHANNEL_PATH}; the server never connects to a node.
 *
 * Opening: agent `hello` -> server `challenge` -> agent `proof` -> server `welcome` or `refused`. The agent proves its
 * key by signing {@link proofBytes} (no time in it: clocks may be wrong), the server proves the instance the agent
 * joined by signing {@link challengeBytes}. After `welcome` both sides may send at any time; each request carries an
 * `id` that its answer repeats. Nothing is lost by a cut: what was not answered is sent again on the next connection,
 * and every request is idempotent.
 */
import { agentOrders, agentReport } from '@medley/fleet/protocol'
import { nodeSample, sampleGap, sampleLayout } from '@medley/monitoring/protocol'
import { z } from 'zod'

/** Older or newer agents are told so instead of being misunderstood. */
export const CHANNEL_VERSION = 1
export const CHANNEL_PATH = '/agents/v1/channel'
export const JOIN_PATH = '/agents/v1/join'
/** Longest frame either side takes, bytes. */
export const LARGEST_FRAME_BYTES = 8 * 2 ** 20

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/)

/** `POST` {@link JOIN_PATH}, once per node, with the token as `Authorization: Bearer mjt_...`. */
export const joinRequest = z.strictObject({
  /** From the agent's own directory: joining again with it renews the key of the same node. */
  nodeKey: z.string().min(1).max(200),
  hostname: z.string().min(1).max(255),
  /** Ed25519 public key of the node, raw 32 bytes. The private half never leaves the node. */
  publicKey: base64url.length(43),
  agentVersion: z.string().max(100),
  /** A node without hardware; stays so for ever and is marked everywhere. */
  simulated: z.boolean().default(false),
})
export type JoinRequest = z.infer<typeof joinRequest>

export const joinAnswer = z.object({
  nodeId: z.string(),
  /** Who the agent will talk to: id and Ed25519 public key (raw) of the instance, pinned from now on. */
  instanceId: z.string(),
  instanceKey: base64url,
})
export type JoinAnswer = z.infer<typeof joinAnswer>

const id = z.number().int().nonnegative()

export const agentFrame = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    version: z.number().int(),
    nodeId: z.string().max(200),
    bootId: z.string().max(200),
    nonce: base64url,
    agentVersion: z.string().max(100),
  }),
  z.object({ type: z.literal('proof'), signature: base64url }),
  /** Answered by `orders`, at once when there is something new, else after `report.waitMs`. */
  z.object({ type: z.literal('report'), id, report: agentReport }),
  z.object({ type: z.literal('layout'), layout: sampleLayout }),
  /** Answered by `stored` once they are durable. `nowMs`: the agent's clock when it sent this. */
  z.object({
    type: z.literal('samples'),
    id,
    nowMs: z.number().int(),
    samples: z.array(nodeSample).max(1000),
    gaps: z.array(sampleGap).max(100),
  }),
])
export type AgentFrame = z.infer<typeof agentFrame>

/** What the agent should replace itself with; `url` is a path on the server. */
export const agentUpgrade = z.object({
  version: z.string(),
  path: z.string(),
  bytes: z.number().int().nonnegative(),
  sha256: z.string(),
  /** The instance's signature over `version` and `sha256`, so that nobody else can hand the node a program. */
  signature: base64url,
})
export type AgentUpgrade = z.infer<typeof agentUpgrade>

export const serverFrame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('challenge'), nonce: base64url, instanceId: z.string(), signature: base64url }),
  z.object({
    type: z.literal('welcome'),
    nodeId: z.string(),
    /** The server's clock, milliseconds since the Unix epoch. */
    nowMs: z.number().int(),
    sampleIntervalMs: z.number().int().min(1_000),
  }),
  z.object({ type: z.literal('orders'), id, orders: agentOrders }),
  z.object({ type: z.literal('stored'), id }),
  z.object({ type: z.literal('upgrade'), upgrade: agentUpgrade }),
  /** The request `id` could not be taken now; it may be sent again later. */
  z.object({ type: z.literal('failed'), id, code: z.string() }),
  /** Last frame before the server closes. `final`: dialling again will not help (revoked, unknown, too old). */
  z.object({ type: z.literal('refused'), code: z.string(), final: z.boolean() }),
])
export type ServerFrame = z.infer<typeof serverFrame>

const encoder = new TextEncoder()

/** What the agent signs: bound to this server, this node and this connection. */
export function proofBytes(said: { nodeId: string; instanceId: string; agentNonce: string; serverNonce: string }) {
  return encoder.encode(
    ['medley agent proof 1', said.instanceId, said.nodeId, said.agentNonce, said.serverNonce].join('\n'),
  )
}

/** What the server signs with the instance's key. */
export function challengeBytes(said: { instanceId: string; agentNonce: string; serverNonce: string }) {
  return encoder.encode(['medley server challenge 1', said.instanceId, said.agentNonce, said.serverNonce].join('\n'))
}

/** What the instance signs of an agent's program. */
export function upgradeBytes({ version, sha256 }: { version: string; sha256: string }) {
  return encoder.encode(['medley agent upgrade 1', version, sha256].join('\n'))
}
