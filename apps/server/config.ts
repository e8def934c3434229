import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** Written by the supervisor into a private file; the path comes in `MEDLEY_SERVER_CONFIG`. */
export const serverConfig = z.object({
  version: z.string(),
  listen: z.object({ host: z.string(), port: z.number().int() }),
  /** As clients reach them; printed, and shown in the console. */
  consoleUrl: z.string(),
  gatewayUrl: z.string(),
  dataDirectory: z.string(),
  consoleDirectory: z.string(),
  /** `external` reads `DATABASE_URL`, which is a secret and therefore not in this file. */
  store: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('embedded'), connection: z.record(z.string(), z.union([z.string(), z.number()])) }),
    z.object({ kind: z.literal('external') }),
  ]),
  starter: z.object({
    /** Null: no starter model is deployed. */
    model: z.string().nullable(),
    file: z.string().nullable(),
    sources: z.array(z.string()).nullable(),
    /** Whether a chip that has no score yet is measured at start. */
    prove: z.boolean().default(true),
  }),
})
export type ServerConfig = z.infer<typeof serverConfig>

/** @throws ZodError naming the field, when the file is not of this form. */
export function readServerConfig(env: NodeJS.ProcessEnv): ServerConfig {
  const file = env.MEDLEY_SERVER_CONFIG
  if (!file) throw new Error('MEDLEY_SERVER_CONFIG is not set: the server is started by `medley up`')
  return serverConfig.parse(JSON.parse(readFileSync(file, 'utf8')))
}
