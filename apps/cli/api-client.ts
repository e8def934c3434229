import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { CliError } from './cli-error.ts'
import { httpUrl, paths } from './settings.ts'
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
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
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
  const baseUrl = httpUrl(factory.host, factory.port)
  const { operatorToken } = readSecrets(files.secrets)

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
    if (!response.ok) throw problemOf(response.status, await response.json().catch(() => null))
    // Done, with nothing to say of it.
    return schema.parse(response.status === 204 ? null : await response.json())
  }

  return {
    baseUrl,
    gatewayUrl: httpUrl(factory.host, factory.gatewayPort),
    get: (path, schema) => call('GET', path, undefined, schema),
    send: (method, path, body, schema) => call(method, path, body, schema),
    raw,
  }
}

/** Members of a query; those left out or undefined are not sent. */
export type Query = Readonly<Record<string, string | undefined>>

/** A path with its query. */
export function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined)
  const encoded = given.map((pair) => pair.map(encodeURIComponent).join('='))
  return encoded.length === 0 ? path : `${path}?${encoded.join('&')}`
}

/** All items of a list, page by page. */
export async function listAll<Item extends z.ZodType>(
  client: ApiClient,
  path: string,
  item: Item,
  query: Query = {},
): Promise<readonly z.infer<Item>[]> {
  const shape = z.object({ items: z.array(item), nextCursor: z.string().nullable() })
  const all: z.infer<Item>[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const asked = { limit: '500', ...query, cursor: cursor === '' ? undefined : cursor }
    const next: z.infer<typeof shape> = await client.get(withQuery(path, asked), shape)
    all.push(...next.items)
    cursor = next.nextCursor
  }
  return all
}

function readSecrets(file: string): z.infer<typeof secretsFile> {
  try {
    return secretsFile.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES') throw new CliError(4, `${file} belongs to another user. Run as that user.`)
    if (code === 'ENOENT') throw new CliError(5, 'The factory is just starting. Try again in some seconds.')
    throw error
  }
}

const EXIT_BY_STATUS: Readonly<Record<number, number>> = {
  400: 2,
  401: 4,
  403: 4,
  404: 3,
  409: 5,
  422: 2,
  429: 5,
  502: 5,
  503: 5,
  504: 5,
}

/** What a status of HTTP means for whoever called this program. */
export function exitCodeOf(status: number): number {
  return EXIT_BY_STATUS[status] ?? 1
}

/** The error that an answer of the server tells of. */
export function problemOf(status: number, body: unknown): CliError {
  const problem = problemBody.safeParse(body)
  if (!problem.success) return new CliError(exitCodeOf(status), `The server answered ${status}.`)
  const { code, title, detail, hint, errors } = problem.data
  const fields = errors.map((error) => `\n  ${error.path}: ${error.message}`).join('')
  const message = `${title}${detail ? ` (${detail})` : ''}${fields}\n${hint} [${code}]`
  return new CliError(exitCodeOf(status), message, code)
}
