import { createRoute, type OpenAPIHono, type RouteConfig, type z } from '@hono/zod-openapi'
import type { Permission } from '@medley/identity'
import type { MiddlewareHandler } from 'hono'
import { every } from 'hono/combine'
import { page, problem } from '../api/schemas.ts'
import type { Factory } from '../factory.ts'
import { audited } from './audited.ts'
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

/** Declares a guarded route to read; see {@link declareChange} for those that change something. */
export function declare<const Route extends RouteConfig & { readonly method: 'get' }>(
  factory: Factory,
  permission: Permission,
  route: Route,
) {
  return createRoute({
    ...route,
    'x-permission': permission,
    middleware: [guard(factory, permission)],
    responses: { ...route.responses, ...refusals(route) },
  })
}

/**
 * Declares a guarded route that changes something: its permission is part of the declaration, is enforced by it, and
 * is written into the OpenAPI file as `x-permission`. It honours `Idempotency-Key` and is noted in the audit as
 * `action`, unless the module that does it notes it in the same transaction.
 */
export function declareChange<const Route extends RouteConfig>(
  factory: Factory,
  permission: Permission,
  action: `${string}.${string}`,
  route: Route,
  { answerHoldsSecret = false, notedByModule = false } = {},
) {
  return createRoute({
    ...route,
    'x-permission': permission,
    middleware: [
      ...guardedChange(factory, permission, LARGEST_BODY.control),
      idempotent(factory, answerHoldsSecret),
      audited(factory, action, notedByModule),
    ],
    responses: { ...route.responses, ...refusals(route) },
  })
}

/**
 * As {@link declareChange}, without notes, for a route whose body or answer is passed on as it is: a stream cannot be checked against a
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

/** Rows that were asked for with `limit + 1`, as they are. */
export function pageOf<Row extends { readonly id: string }>(rows: readonly Row[], limit: number) {
  return toPage(rows, limit, (row) => row)
}

/** Splits rows fetched with `limit + 1` into a page and the cursor of the next one. */
export function toPage<Row extends { readonly id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  present: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const items = rows.slice(0, limit)
  return { items: items.map(present), nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
}

/** A JSON body of the given shape, for a route's `request`. */
export function body<Schema extends z.ZodType>(schema: Schema) {
  return { body: { content: { 'application/json': { schema } }, required: true } } as const
}
