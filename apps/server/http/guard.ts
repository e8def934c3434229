import { allows, type Permission, type Session } from '@medley/identity'
import type { TenantScope } from '@medley/kernel'
import type { MiddlewareHandler } from 'hono'
import { serverErrors } from '../errors.ts'
import type { Factory } from '../factory.ts'

/** Who asks, resolved once per request. */
export interface Principal {
  readonly session: Session
  readonly role: string
  readonly scope: TenantScope
  /** A cookie comes with every request of a browser, a bearer token only from its holder. */
  readonly by: 'session' | 'token'
}

export interface AppEnv {
  Variables: { principal: Principal; requestId: string }
}

/**
 * Lets a request pass when its session, or the operator's local token, may do what the route declares. Deny by
 * default: a route without a guard is refused by the test that walks the OpenAPI file.
 *
 * @throws AppError `server.request.unauthenticated`, `server.request.forbidden`
 */
export function guard(factory: Factory, permission: Permission): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    const principal = await factory.principalOf(context.req.raw.headers)
    if (!principal) throw serverErrors['request.unauthenticated']()
    if (!allows(principal.role, permission)) throw serverErrors['request.forbidden']({ permission })
    context.set('principal', principal)
    await next()
  }
}
