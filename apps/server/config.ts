import { readFileSync } from 'node:fs'
import { z } from 'zod'

const storeConnection = z.object({
  host: z.string(),
  port: z.number().int(),
  user: z.string(),
  password: z.string(),
  database: z.string(),
})

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** Written by the supervisor into a private file; the path comes in `MEDLEY_SERVER_CONFIG`. */
export const serverConfig = z.object({
  version: z.string(),
  listen: z.object({ host: z.string(), port: z.number().int() }),
  /** As clients reach them; printed, and shown in the console. */
  consoleUrl: z.string(),
  gatewayUrl: z.string(),
  /** The console's address in front of a proxy; left out where it is reached as `consoleUrl`. */
  publicUrl: z.url({ protocol: /^https?$/ }).optional(),
  dataDirectory: z.string(),
  consoleDirectory: z.string(),
  /** `external` reads `DATABASE_URL`, which is a secret and therefore not in this file. */
  store: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('embedded'), connection: storeConnection }),
    z.object({ kind: z.literal('external') }),
  ]),
  starter: z.object({
    /** Null: no starter model is deployed. */
    model: z.string().nullable(),
    file: z.string().nullable(),
    /** Whether a chip that has no score yet is measured at start. */
    prove: z.boolean().default(true),
  }),
  fleet: z
    .object({
      /** How often agents sample and report, ms. */
      sampleIntervalMs: z.number().int().min(1_000).default(15_000),
    })
    .prefault({}),
  alerts: z
    .object({
      /** IANA name of the zone in which alert messages tell the time; left out: the server's own. */
      timeZone: z.string().refine(isTimeZone, 'no such time zone').optional(),
    })
    .optional(),
})
export type ServerConfig = z.infer<typeof serverConfig>

/** The address people open, of which links are made and to which cookies belong. */
export function publicUrlOf({ publicUrl, consoleUrl }: ServerConfig): string {
  return (publicUrl ?? consoleUrl).replace(/\/+$/, '')
}

/**
 * `MEDLEY_PUBLIC_URL` and `MEDLEY_TIME_ZONE` go before the file: the supervisor knows where it listens, not what stands
 * before it or who is called.
 *
 * @throws ZodError naming the field, when the file is not of this form.
 */
export function readServerConfig(env: NodeJS.ProcessEnv): ServerConfig {
  const file = env.MEDLEY_SERVER_CONFIG
  if (!file) throw new Error('MEDLEY_SERVER_CONFIG is not set: the server is started by `medley up`')
  const written: object = JSON.parse(readFileSync(file, 'utf8'))
  return serverConfig.parse({
    ...written,
    ...(env.MEDLEY_PUBLIC_URL ? { publicUrl: env.MEDLEY_PUBLIC_URL } : {}),
    ...(env.MEDLEY_TIME_ZONE ? { alerts: { timeZone: env.MEDLEY_TIME_ZONE } } : {}),
  })
}
