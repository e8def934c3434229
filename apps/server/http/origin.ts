import type { MiddlewareHandler } from 'hono'
import { publicUrlOf } from '../config.ts'
import { serverErrors } from '../errors.ts'
import type { Factory } from '../factory.ts'
import type { AppEnv } from './guard.ts'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
/** What a browser says of a request that no foreign page made. */
const OWN_FETCH_SITES = new Set(['same-origin', 'none'])

/**
 * A browser sends a session's cookie also when a foreign page makes the request: another port of the same address is
 * the same site for SameSite. So a change under a cookie must say that it comes from a page of ours. A bearer token
 * is sent by nobody but its holder and needs no such proof.
 *
 * @throws AppError `server.request.foreign-origin`
 */
export function ownOrigin(factory: Factory): MiddlewareHandler<AppEnv> {
  const { config } = factory
  const known = new Set([config.consoleUrl, publicUrlOf(config)].map((url) => new URL(url).origin))
  return async (context, next) => {
    const principal = context.get('principal')
    if (principal.by === 'session' && !SAFE_METHODS.has(context.req.method)) {
      const origin = context.req.header('origin')
      const ours =
        origin === undefined
          ? OWN_FETCH_SITES.has(context.req.header('sec-fetch-site') ?? '')
          : known.has(origin) || origin === new URL(context.req.url).origin
      if (!ours) {
        const error = serverErrors['request.foreign-origin']()
        await factory.denials.note(context, principal, error)
        throw error
      }
    }
    await next()
  }
}
