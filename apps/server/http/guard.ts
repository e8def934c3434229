import type { Viewer } from '@medley/fleet'
import { allows, type Permission, type Session } from '@medley/identity'
import type { AppError, Scope, TenantScope } from '@medley/kernel'
import type { Context, MiddlewareHandler } from 'hono'
import { serverErrors } from '../errors.ts'
import type { Factory } from '../factory.ts'
import type { Change } from './audited.ts'

/** Who asks, resolved once per request. */
export interface Principal {
  readonly session: Session
  readonly role: string
  readonly scope: TenantScope
  /** A person of the compute centre itself, not of one of its tenants. */
  readonly home: boolean
  /** What of the fleet may be seen: all of it by the centre's operator, else the centre's nodes and the tenant's own. */
  readonly viewer: Viewer
  /** On whose behalf nodes and the audit are asked: the centre's operator sees those of all tenants. */
  readonly reach: Scope
  /** A cookie comes with every request of a browser, a bearer token only from its holder. */
  readonly by: 'session' | 'token'
}

export interface AppEnv {
  Variables: { principal: Principal; requestId: string; change?: Change }
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
    if (!principal) throw await denied(factory, context, null, serverErrors['request.unauthenticated']())
    if (!allows(principal.role, permission)) {
      throw await denied(factory, context, principal, serverErrors['request.forbidden']({ permission }))
    }
    context.set('principal', principal)
    await next()
  }
}

async function denied(
  factory: Factory,
  context: Context,
  principal: Principal | null,
  error: AppError,
): Promise<AppError> {
  await factory.denials.note(context, principal, error)
  return error
}
