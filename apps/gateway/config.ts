import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

const milliseconds = z.number().int().nonnegative()
const bytes = z.number().int().positive()

/** The file named by `MEDLEY_GATEWAY_CONFIG`. Everything but the four places has a default. */
export const gatewayConfig = z.object({
  listen: z.object({ host: z.string().default('127.0.0.1'), port: z.number().int().min(0).max(65_535) }),
  /** Private to this worker: its snapshot and its journal. */
  dataDirectory: z.string().min(1),
  serverUrl: z.url({ protocol: /^https?$/ }),
  /** JSON file with `pepper` and `internalToken`; by default `../instance/secrets.json` beside the data directory. */
  secretsFile: z.string().min(1).nullable().default(null),
  worker: z.number().int().nonnegative().default(0),
  maxBodyBytes: bytes.default(10 * 1024 * 1024),
  /** Answers that are not streamed are held whole, so that their usage is journaled before their first byte. */
  maxAnswerBytes: bytes.default(64 * 1024 * 1024),
  /** How long a request waits for a replica of its model before 503. */
  replicaWaitMs: milliseconds.default(20_000),
  /** Most requests that wait for a replica at a time, and most bytes of theirs; the next one gets 503. */
  maxWaiting: z.number().int().nonnegative().default(256),
  maxWaitingBytes: bytes.default(64 * 1024 * 1024),
  /** How long the headers of a request may take, and from then on its body; then 408. */
  headersTimeoutMs: milliseconds.min(1).default(30_000),
  bodyTimeoutMs: milliseconds.min(1).default(60_000),
  /** Silence of an engine after which it counts as lost. */
  upstreamIdleMs: milliseconds.default(600_000),
  /** How long running streams may go on after a stop was asked for. */
  drainSeconds: z.number().nonnegative().default(30),
  snapshotWaitMs: milliseconds.default(25_000),
  segmentBytes: bytes.default(8 * 1024 * 1024),
  /** Longest time between a journal entry and its fdatasync's start. */
  syncDelayMs: milliseconds.max(20).default(10),
  /** Records gathered for this long travel to the server together. */
  shipDelayMs: milliseconds.default(100),
})
export type GatewayConfig = z.infer<typeof gatewayConfig>

const gatewaySecrets = z.object({ pepper: z.string().min(1), internalToken: z.string().min(1) })
export type GatewaySecrets = z.infer<typeof gatewaySecrets>

/** @throws {ZodError} naming the members that are wrong. */
export async function readConfig(path: string): Promise<GatewayConfig> {
  return gatewayConfig.parse(JSON.parse(await readFile(path, 'utf8')))
}

/** Secrets come from a file only: arguments and the environment are readable by others. */
export async function readSecrets(config: GatewayConfig): Promise<GatewaySecrets> {
  const path = config.secretsFile ?? join(config.dataDirectory, '..', 'instance', 'secrets.json')
  return gatewaySecrets.parse(JSON.parse(await readFile(path, 'utf8')))
}
