import { createRoute, type RouteConfig, type z } from '@hono/zod-openapi'
import type { Permission } from '@medley/identity'
import { page, problem } from '../api/schemas.ts'
import type { Factory } from '../factory.ts'
import { guard } from './guard.ts'
import { idempotent } from './idempotent.ts'

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
        : [guard(factory, permission), idempotent(factory, answerHoldsSecret)],
    responses: {
      ...route.responses,
      400: { content: problemContent, description: 'The request is not valid' },
      401: { content: problemContent, description: 'Not signed in' },
      403: { content: problemContent, description: 'Not allowed' },
    },
  })
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
