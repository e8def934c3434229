import { z } from 'zod'

const milliseconds = z.number().int().min(1)

/** Every waiting time of the agent; the defaults are for production, tests shorten them. */
export const agentLimits = z.object({
  /**
   * How long the server may hold an answer. Changes on either side end the wait at once; it only bounds how old the
   * facts beside the readings can get. With thousands of nodes each report costs the server.
   */
  waitMs: milliseconds.default(60_000),
  chipsIntervalMs: milliseconds.default(10_000),
  heartbeatMs: milliseconds.default(5_000),
  healthPollStartingMs: milliseconds.default(250),
  healthPollReadyMs: milliseconds.default(1_000),
  healthTimeoutMs: milliseconds.default(10_000),
  /** No progress before ready for this long: the start has failed. An adapter may ask for more. */
  readyTimeoutMs: milliseconds.default(120_000),
  /** No answer of a ready engine for this long: it hangs. */
  hangTimeoutMs: milliseconds.default(120_000),
  stopGraceMs: milliseconds.default(30_000),
  backoffInitialMs: milliseconds.default(500),
  backoffMaxMs: milliseconds.default(30_000),
  healthyResetMs: milliseconds.default(60_000),
  /** First rest after an engine has itself declared that it cannot run (wrong answer, no memory). */
  declaredFailureRestMs: milliseconds.default(30_000),
  serverBackoffMaxMs: milliseconds.default(5_000),
  /** Readings that the server has not taken yet are kept this long, */
  telemetryMaxAgeMs: milliseconds.default(3_600_000),
  /** and up to this much. */
  telemetryMaxBytes: z
    .number()
    .int()
    .positive()
    .default(16 * 2 ** 20),
})
export type AgentLimits = z.infer<typeof agentLimits>

export const agentConfig = z.object({
  /** What must survive: the node's key, the last orders. */
  dataDirectory: z.string().min(1),
  /** Sockets, logs and process records. Short: a socket path has at most 107 bytes. */
  runDirectory: z.string().min(1).max(60),
  /** Left out: the server that the node joined. */
  serverUrl: z.url().optional(),
  /** Of the factory's own agent: JSON file with a field `internalToken`. Others were joined by a person. */
  tokenFile: z.string().min(1).optional(),
  /** Of drivers beside the built-in ones, one folder each; `drivers.d` in the data directory when left out. */
  driversDirectory: z.string().min(1).optional(),
  /** In a container: where the host's `/sys`, `/proc` and `/dev` are mounted. `MEDLEY_HOST_ROOT` goes before it. */
  hostRoot: z.string().min(1).optional(),
  limits: agentLimits.prefault({}),
})
export type AgentConfig = z.infer<typeof agentConfig>
