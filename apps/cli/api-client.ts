import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { CliError } from './cli-error.ts'
import { paths } from './settings.ts'
import { runningFactory } from './up/lock.ts'

const secretsFile = z.object({ operatorToken: z.string() })
const problemBody = z.object({
  code: z.string(),
  title: z.string(),
  detail: z.string().nullable(),
  hint: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).default([]),
})

export interface ApiClient {
  readonly baseUrl: string
  readonly gatewayUrl: string
  get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.infer<Schema>>
  send<Schema extends z.ZodType>(
    method: 'POST' | 'DELETE',
    path: string,
    body: unknown,
    schema: Schema,
  ): Promise<z.infer<Schema>>
  /** The raw answer, for streams. */
  raw(method: string, path: string, body: unknown): Promise<Response>
}

/**
 * A client of the factory of one data directory, as its operator.
 *
 * @throws CliError with exit code 5 when no factory runs there.
 */
export function connect(data: string): ApiClient {
  const files = paths(data)
  const factory = runningFactory(files.lock)
  if (!factory) throw new CliError(5, `No factory runs on ${data}. Start one with: npm start -- --data ${data}`)
  const host = ['0.0.0.0', '::'].includes(factory.host) ? '127.0.0.1' : factory.host
  const baseUrl = `http://${host}:${factory.port}`
  const { operatorToken } = secretsFile.parse(JSON.parse(readFileSync(files.secrets, 'utf8')))

  const raw = (method: string, path: string, body: unknown) =>
    fetch(new URL(path, baseUrl), {
      method,
      headers: {
        authorization: `Bearer ${operatorToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw new CliError(
        5,
        `The server at ${baseUrl} does not answer (${String((error as Error).cause ?? error)}). It is restarted by itself; try again in some seconds.`,
      )
    })

  async function call<Schema extends z.ZodType>(method: string, path: string, body: unknown, schema: Schema) {
    const response = await raw(method, path, body)
    if (!response.ok) throw await toCliError(response)
    return schema.parse(await response.json())
  }

  return {
    baseUrl,
    gatewayUrl: `http://${host}:${factory.gatewayPort}`,
    get: (path, schema) => call('GET', path, undefined, schema),
    send: (method, path, body, schema) => call(method, path, body, schema),
    raw,
  }
}

const EXIT_BY_STATUS: Readonly<Record<number, number>> = { 400: 2, 401: 4, 403: 4, 404: 3, 409: 5, 429: 5, 503: 5 }

async function toCliError(response: Response): Promise<CliError> {
  const problem = problemBody.safeParse(await response.json().catch(() => null))
  const exitCode = EXIT_BY_STATUS[response.status] ?? 1
  if (!problem.success) return new CliError(exitCode, `The server answered ${response.status}.`)
  const { code, title, detail, hint, errors } = problem.data
  const fields = errors.map((error) => `\n  ${error.path}: ${error.message}`).join('')
  return new CliError(exitCode, `${title}${detail ? ` (${detail})` : ''}${fields}\n${hint} [${code}]`)
}
