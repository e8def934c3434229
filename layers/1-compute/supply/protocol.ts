/** The record of one request, written by a gateway worker before the client's last byte. */
import { z } from 'zod'

const tokens = z.number().int().nonnegative().nullable()

export const usageRecord = z.object({
  requestId: z.string(),
  tenantId: z.string(),
  projectId: z.string(),
  keyId: z.string(),
  endpoint: z.string(),
  /** What the client asked for; may name a model that does not exist. */
  model: z.string().nullable(),
  revisionId: z.string().nullable(),
  replicaId: z.string().nullable(),
  chipUuids: z.array(z.string()),
  /** `interrupted`: the worker died while answering, found in its journal afterwards; its tokens are unknown. */
  outcome: z.enum(['completed', 'aborted', 'failed', 'refused', 'interrupted']),
  httpStatus: z.number().int(),
  errorCode: z.string().nullable(),
  stream: z.boolean(),
  promptTokens: tokens,
  cachedTokens: tokens,
  completionTokens: tokens,
  /** Milliseconds since the Unix epoch. */
  startedAt: z.number().int(),
  endedAt: z.number().int(),
  timeToFirstTokenMs: z.number().nullable(),
  /** Places for the layers above: which application, data and contract this answer came from. */
  appVersionId: z.string().nullable(),
  datasetVersionId: z.string().nullable(),
  contractId: z.string().nullable(),
})
export type UsageRecord = z.infer<typeof usageRecord>
