/**
 * What a driver says of a chip and what an agent and the server say to each other. No dependency but zod, so that
 * agents and drivers can import it without the store.
 *
 * The protocol is level-triggered: the agent sends everything it observes, the server answers with everything it
 * wants. A lost, repeated or reordered message therefore costs time, never correctness.
 */
import { z } from 'zod'

export const chipHealth = z.enum(['healthy', 'degraded', 'lost', 'unusable', 'unknown'])
export type ChipHealth = z.infer<typeof chipHealth>

/**
 * What a chip is known by. Characters that no store can keep (U+0000, half of a surrogate pair) or no screen can show
 * are left out, by the agent and by the server alike; of what is left an index must be able to hold all. No tool has a
 * uuid longer than that or made of nothing else: such a one comes of a garbled output, and its chip is still reported.
 */
export const chipUuid = z
  .string()
  .min(1)
  .overwrite(
    (words) =>
      words
        .replace(/\p{Cc}/gu, '')
        .slice(0, 512)
        .toWellFormed() || 'unreadable',
  )

/** Words of tools and machines. What no store can keep of them is left out: it must not cost a node its report. */
const text = z.string().overwrite((words) => words.toWellFormed().replaceAll('\u0000', ''))

const count = z.number().int().nonnegative()
const nullableNumber = z.number().nullable()

/** A fraction of a chip on the vendor's own grid (MIG, vNPU, sMLU, ...), as it is cut now. */
export const chipSlice = z.object({
  uuid: chipUuid,
  /** The vendor's name of the cut, such as `1g.10gb` or `vir04_1c`. */
  profile: text,
  memoryBytes: count.nullable(),
  computeUnits: count.nullable(),
})
export type ChipSlice = z.infer<typeof chipSlice>

/** A direct way from this chip to another one of the same node. */
export const chipLink = z.object({
  /** Uuid of the other chip. */
  to: chipUuid,
  /** From near to far: same card, the vendor's own link, one switch, several, the host bridge, one socket, between sockets. */
  kind: z.enum(['card', 'link', 'switch', 'switches', 'bridge', 'socket', 'system']),
  /** As the vendor's tool calls it, such as `NV12` or `HCCS`. */
  label: text,
  bytesPerSecond: z.number().nullable(),
})
export type ChipLink = z.infer<typeof chipLink>

/** Facts and readings of one chip, normalised over vendors. Unknown is `null`, never 0. */
export const chipFacts = z.object({
  /** Driver name, such as `cpu`. */
  vendor: text,
  index: count.nullable(),
  /** Stable over restarts of tool, agent and host: what history and scores are keyed by. */
  uuid: chipUuid,
  serial: text.nullable(),
  pciAddress: text.nullable(),
  product: text,
  /** Same for all chips of one card. */
  cardKey: text,
  chipOnCard: count,
  memoryTotalBytes: count.nullable(),
  memoryUsedBytes: count.nullable(),
  utilizationRatio: nullableNumber,
  temperatureCelsius: nullableNumber,
  powerWatts: nullableNumber,
  cardPowerWatts: nullableNumber,
  health: chipHealth,
  /** Codes and parameters, never sentences. */
  healthReasons: z.array(z.object({ code: text, params: z.record(text, text) })),
  driverVersion: text.nullable(),
  firmwareVersion: text.nullable(),
  numaNode: z.number().int().nullable(),
  eccErrorsUncorrected: count.nullable(),
  /** Parallel units the scheduler may count: logical processors of a CPU, SMs of a GPU. */
  computeUnits: count.nullable(),
  /** Instruction sets or compute capability, such as `avx512_vnni`, `sm_90`. */
  features: z.array(text),
  /** Further facts of the vendor, shown as they are. */
  extra: z.record(text, z.union([text, z.number(), z.boolean(), z.null()])),
  /** Further readings by the names of the metric catalogue (`@medley/monitoring/protocol`); left out: none are read. */
  sensors: z.record(text, nullableNumber).optional(),
  /** Left out where the driver cannot tell; empty: the chip is whole. */
  slices: z.array(chipSlice).optional(),
  /** Left out where the driver cannot tell. */
  links: z.array(chipLink).optional(),
  simulated: z.boolean(),
})
export type ChipFacts = z.infer<typeof chipFacts>

/** One engine family that the node can run, and which build of it. */
export const engineBuild = z.object({
  family: text,
  /** Of the library and of what it wraps, such as `node-llama-cpp 3.22.1 / llama.cpp v0.5.0`. */
  version: text,
  /** Over every binary that may be loaded; null where the family has none of its own or they cannot be read. */
  binaryDigest: text.nullable(),
})
export type EngineBuild = z.infer<typeof engineBuild>

/** What a node is made of beside its chips. Left out by agents that cannot tell (another operating system). */
export const nodeHardware = z.object({
  networkInterfaces: z.array(
    z.object({
      name: text,
      macAddress: text.nullable(),
      speedBitsPerSecond: z.number().nullable(),
      state: z.enum(['up', 'down', 'unknown']),
      numaNode: z.number().int().nullable(),
      driver: text.nullable(),
    }),
  ),
  rdmaDevices: z.array(
    z.object({
      name: text,
      port: count,
      linkLayer: z.enum(['infiniband', 'ethernet', 'unknown']),
      state: z.enum(['active', 'down', 'unknown']),
      rateBitsPerSecond: z.number().nullable(),
      networkInterface: text.nullable(),
    }),
  ),
  disks: z.array(
    z.object({
      name: text,
      model: text.nullable(),
      sizeBytes: count,
      rotational: z.boolean().nullable(),
    }),
  ),
  numaNodes: z.array(z.object({ id: count, cpuList: text, memoryBytes: count.nullable() })),
})
export type NodeHardware = z.infer<typeof nodeHardware>

export const nodeFacts = z.object({
  hostname: text,
  operatingSystem: text,
  kernel: text,
  architecture: text,
  cpuCount: count,
  memoryBytes: count,
  agentVersion: text,
  nodeVersion: text,
  /** What a deployment on this node would run on. */
  engines: z.array(engineBuild).default([]),
  hardware: nodeHardware.optional(),
})
export type NodeFacts = z.infer<typeof nodeFacts>

/** One thing the server wants to exist on the node. A changed digest means: replace. */
export const workload = z.object({
  id: text,
  kind: z.enum(['engine', 'proving']),
  digest: text,
  spec: z.json(),
})
export type Workload = z.infer<typeof workload>

export const workloadState = z.enum([
  'starting',
  'checking',
  'ready',
  'restarting',
  'stopping',
  'stopped',
  'failed',
  'done',
])
export type WorkloadState = z.infer<typeof workloadState>

export const workloadStatus = z.object({
  id: text,
  digest: text,
  state: workloadState,
  /** `unix:/path` or `http://host:port`; null until something listens. */
  endpoint: text.nullable(),
  restarts: count,
  /** Code and parameters of the last failure. */
  error: z.object({ code: text, params: z.record(text, text) }).nullable(),
  progress: z.object({ step: text, done: count, total: count.nullable(), unit: text }).nullable(),
  /** What a finished one-shot workload (kind `proving`) found; what a ready engine says of itself. */
  result: z.json().nullable(),
})
export type WorkloadStatus = z.infer<typeof workloadStatus>

/**
 * A change of a chip's health at the time it was seen. Agents keep them (bounded) while the server is away, so that
 * history has the changes in between and not just the last state.
 */
export const chipChange = z.object({
  uuid: chipUuid,
  /** By the agent's clock, milliseconds since the Unix epoch. */
  atMs: z.number().int(),
  health: z.union([chipHealth, z.literal('absent')]),
  healthReasons: chipFacts.shape.healthReasons,
})
export type ChipChange = z.infer<typeof chipChange>

export const agentReport = z.object({
  /** From the agent's own directory: survives its restart. */
  nodeKey: text,
  /** New at each start of the agent. */
  bootId: text,
  facts: nodeFacts,
  chips: z.array(chipFacts).max(1_024),
  /** What changed since the last report the server answered, oldest first. */
  changes: z.array(chipChange).max(10_000).optional(),
  /** More changes than an agent keeps: those up to this time (its clock, milliseconds since the epoch) are lost. */
  changesLostBeforeMs: z.number().int().nonnegative().optional(),
  /** Names of the drivers that have not read yet since the agent's start: of their chips nothing is known. */
  unread: z.array(z.string().max(64)).max(256).optional(),
  workloads: z.array(workloadStatus),
  /** Highest `revision` the agent has applied; the server answers at once if it has a newer one. */
  appliedRevision: z.number().int(),
  /** How long the server may hold the answer while nothing changes. */
  waitMs: count,
})
export type AgentReport = z.infer<typeof agentReport>

export const agentOrders = z.object({
  nodeId: text,
  revision: z.number().int(),
  workloads: z.array(workload),
})
export type AgentOrders = z.infer<typeof agentOrders>
