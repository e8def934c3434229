import { openStore } from '@medley/store'
import { CliError } from '../cli-error.ts'

/** What the driver's and PostgreSQL's codes mean for the reader (PostgreSQL appendix A). */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOENT: 'there is no such socket',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be resolved now',
  ETIMEDOUT: 'it does not answer in time',
  EHOSTUNREACH: 'there is no route to that host',
  '28P01': 'user or password are not accepted',
  '28000': 'this user may not connect',
  '3D000': 'there is no such database',
  '53300': 'it has too many clients already',
  '57P03': 'it is just starting or stopping',
}

/**
 * Connects once to the PostgreSQL that `DATABASE_URL` names, so that a wrong address is said at once.
 *
 * @throws CliError with exit code 2 when it is no such URL, 5 when the server cannot be used. Neither shows a password.
 */
export async function requireExternalStore(databaseUrl: string): Promise<void> {
  const url = parse(databaseUrl)
  const store = openStore({ databaseUrl, maxConnections: 1 })
  try {
    await store.ping()
  } catch (error) {
    throw new CliError(
      5,
      `The PostgreSQL of DATABASE_URL (${placeOf(url)}) cannot be used: ${reason(error, url.password)}. ` +
        'Correct or start it, or unset DATABASE_URL to use the embedded one.',
    )
  } finally {
    await store.close()
  }
}

function parse(text: string): URL {
  try {
    // A socket's folder stands in the query, which leaves an empty host that the standard's parser refuses.
    const url = new URL(text.replace('@/', '@localhost/').replace(/^(\w+:)\/\/\//, '$1//localhost/'))
    if (['postgres:', 'postgresql:'].includes(url.protocol)) return url
  } catch {
    // Told below, without the text: it may hold a password.
  }
  throw new CliError(2, 'DATABASE_URL has not the form postgresql://USER:PASSWORD@HOST:PORT/DATABASE.')
}

function placeOf(url: URL): string {
  const host = url.searchParams.get('host') ?? url.hostname
  return `${host}:${url.port || '5432'}, database ${decodeURIComponent(url.pathname.slice(1)) || url.username}`
}

function reason(error: unknown, password: string): string {
  const cause = rootOf(error)
  const code = 'code' in cause ? String(cause.code) : ''
  const said = REASONS[code] ?? (/timeout/.test(cause.message) ? 'it does not answer in time' : cause.message || code)
  return [password, decodeURIComponent(password)].reduce(
    (text, secret) => (secret === '' ? text : text.replaceAll(secret, '***')),
    said,
  )
}

/** The innermost error; of several addresses tried, the first. */
function rootOf(error: unknown): Error {
  if (error instanceof AggregateError && error.errors.length > 0) return rootOf(error.errors[0])
  if (error instanceof Error && error.cause instanceof Error) return rootOf(error.cause)
  return error instanceof Error ? error : new Error(String(error))
}
