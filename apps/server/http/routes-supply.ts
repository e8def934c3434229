import { z } from '@hono/zod-openapi'
import {
  apiKey,
  createdApiKey,
  newApiKey,
  oneOf,
  pageQuery,
  reference,
  usageEvent,
  usageSummary,
} from '../api/schemas.ts'
import type { Factory } from '../factory.ts'
import { presentKey, presentUsage } from '../present.ts'
import { declare, declareChange, json, listOf, notFound } from './declare.ts'
import { createRouter } from './router.ts'

const usageQuery = pageQuery.extend({
  model: reference.optional(),
  outcome: usageEvent.shape.outcome.optional(),
  keyId: reference.optional(),
  requestId: reference.optional(),
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional(),
})
const summaryQuery = z.strictObject({
  groupBy: z.enum(['model', 'key', 'day']).default('model'),
  days: z.coerce.number().int().min(1).max(366).default(7),
})
const DAY_MS = 86_400_000

export function supplyRoutes(factory: Factory) {
  const app = createRouter()

  app.openapi(
    declare(factory, 'keys:read', {
      method: 'get',
      path: '/api/v1/keys',
      tags: ['supply'],
      summary: 'API keys, without the keys themselves',
      request: { query: pageQuery },
      responses: { 200: listOf(apiKey, 'Keys') },
    }),
    async (context) => {
      const { cursor, limit } = context.req.valid('query')
      const keys = await factory.identity.keys.list(context.get('principal').scope, { cursor: cursor ?? null, limit })
      return context.json({ items: keys.items.map(presentKey), nextCursor: keys.nextCursor }, 200)
    },
  )

  app.openapi(
    declareChange(
      factory,
      'keys:write',
      'key.create',
      {
        method: 'post',
        path: '/api/v1/keys',
        tags: ['supply'],
        summary: 'Create a key; it is shown once',
        request: { body: { content: { 'application/json': { schema: newApiKey } }, required: true } },
        responses: { 201: json(createdApiKey, 'The key') },
      },
      { answerHoldsSecret: true },
    ),
    async (context) => {
      const { name, expiresAt } = context.req.valid('json')
      const created = await factory.identity.keys.create(context.get('principal').scope, {
        name,
        scopes: ['inference'],
        expiresAt: expiresAt ? new Date(expiresAt) : null,
      })
      factory.live.touch('keys')
      const shown = presentKey(created.record)
      context.set('change', { subject: shown.id, after: shown })
      return context.json({ ...shown, key: created.key }, 201)
    },
  )

  app.openapi(
    declareChange(factory, 'keys:write', 'key.revoke', {
      method: 'delete',
      path: '/api/v1/keys/{id}',
      tags: ['supply'],
      summary: 'Revoke a key',
      request: oneOf,
      responses: { 200: json(apiKey, 'The revoked key'), 404: notFound },
    }),
    async (context) => {
      const revoked = await factory.identity.keys.revoke(context.get('principal').scope, context.req.valid('param').id)
      factory.live.touch('keys')
      context.set('change', { after: presentKey(revoked) })
      return context.json(presentKey(revoked), 200)
    },
  )

  app.openapi(
    declare(factory, 'usage:read', {
      method: 'get',
      path: '/api/v1/usage',
      tags: ['supply'],
      summary: 'Usage events, newest first',
      request: { query: usageQuery },
      responses: { 200: listOf(usageEvent, 'Events') },
    }),
    async (context) => {
      const { cursor, limit, model, outcome, keyId, requestId, from, to } = context.req.valid('query')
      const events = await factory.supply.list(context.get('principal').scope, {
        cursor: cursor ?? null,
        limit,
        model: model ?? null,
        outcome: outcome ?? null,
        keyId: keyId ?? null,
        requestId: requestId ?? null,
        from: from ? new Date(from) : null,
        to: to ? new Date(to) : null,
      })
      return context.json({ items: events.items.map(presentUsage), nextCursor: events.nextCursor }, 200)
    },
  )

  app.openapi(
    declare(factory, 'usage:read', {
      method: 'get',
      path: '/api/v1/usage/summary',
      tags: ['supply'],
      summary: 'Sums of usage, each reproducible from the events',
      request: { query: summaryQuery },
      responses: { 200: json(usageSummary, 'Sums by group') },
    }),
    async (context) => {
      const { groupBy, days } = context.req.valid('query')
      const to = new Date(factory.clock.now())
      const from = new Date(to.getTime() - days * DAY_MS)
      const sums = await factory.supply.summary(context.get('principal').scope, { groupBy, from, to })
      return context.json({ groups: [...sums] }, 200)
    },
  )

  return app
}
