import { createRoute, type OpenAPIHono, type RouteConfig, type z } from '@hono/zod-openapi'
import type { Permission } from '@medley/identity'
import type { MiddlewareHandler } from 'hono'
import { every } from 'hono/combine'
import { page, problem } from '../api/schemas.ts'
import type { Factory } from '../factory.ts'
import { jsonOnly, LARGEST_BODY, limitBody } from './body.ts'
import { type AppEnv, guard } from './guard.ts'
import { idempotent } from './idempotent.ts'
import { ownOrigin } from './origin.ts'

const problemContent = { 'application/problem+json': { schema: problem } }

/** A JSON answer of the given shape. */
export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { content: { 'application/json': { schema } }, description }
}

/** A page of items. */
export function listOf<Item extends z.ZodType>(item: Item, description: string) {
  return json(page(item), description)
}

/**
 * Declares a guarded route: its permission is part of the declaration, is enforced by it, and is written into the
 * OpenAPI file as `x-permission`. Mutations honour `Idempotency-Key`.
 */
export function declare<const Route extends RouteConfig>(
  factory: Factory,
  permission: Permission,
  route: Route,
  { answerHoldsSecret = false } = {},
) {
  return createRoute({
    ...route,
    'x-permission': permission,
    middleware:
      route.method === 'get'
        ? [guard(factory, permission)]
        : [...guardedChange(factory, permission, LARGEST_BODY.control), idempotent(factory, answerHoldsSecret)],
    responses: { ...route.responses, ...refusals(route) },
  })
}

/**
 * As {@link declare}, for a route whose body or answer is passed on as it is: a stream cannot be checked against a
 * schema nor kept for a repetition. Its handler is added with the middleware given back here.
 */
export function declareStream(
  app: OpenAPIHono<AppEnv>,
  factory: Factory,
  permission: Permission,
  route: RouteConfig,
  largestBody = 0,
): MiddlewareHandler<AppEnv> {
  app.openAPIRegistry.registerPath({
    ...route,
    'x-permission': permission,
    responses: { ...route.responses, ...refusals(route) },
  })
  return route.method === 'get' ? guard(factory, permission) : every(...guardedChange(factory, permission, largestBody))
}

/** In this order: nothing of a body is read before it is known who sends it, from where and in what form. */
function guardedChange(factory: Factory, permission: Permission, largestBody: number): MiddlewareHandler<AppEnv>[] {
  return [guard(factory, permission), ownOrigin(factory), jsonOnly, limitBody(largestBody)]
}

function refusals(route: RouteConfig) {
  const refusal = (description: string) => ({ content: problemContent, description })
  const all = {
    400: refusal('The request is not valid'),
    401: refusal('Not signed in'),
    403: refusal('Not allowed'),
  }
  return route.method === 'get'
    ? all
    : { ...all, 413: refusal('The body is too large'), 415: refusal('The body is not JSON') }
}

export const notFound = { content: problemContent, description: 'There is no such thing' }

/** Splits rows fetched with `limit + 1` into a page and the cursor of the next one. */
export function toPage<Row extends { readonly id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  present: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const items = rows.slice(0, limit)
  return { items: items.map(present), nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
}
