import { z } from '@hono/zod-openapi'
import type { Capacity as CapacityView } from '@medley/supply'
import { type Capacity, capacity, capacityPoint } from '../api/fleet-schemas.ts'
import { HEADLINE_DTYPE } from '../capacity.ts'
import type { Factory } from '../factory.ts'
import { declare, json, listOf } from './declare.ts'
import { periodOf, periodQuery } from './period.ts'
import { requireCentre } from './reach.ts'
import { createRouter } from './router.ts'

const dtype = z
  .string()
  .regex(/^[a-z][a-z0-9]{1,15}$/)
  .default(HEADLINE_DTYPE)
const WEEK_MS = 7 * 86_400_000

/** Supply in PFLOPS, each figure with what it rests on. */
export function capacityRoutes(factory: Factory) {
  const app = createRouter()

  app.openapi(
    declare(factory, 'supply:read', {
      method: 'get',
      path: '/api/v1/capacity',
      tags: ['supply'],
      summary: 'Nominal and effective PFLOPS by vendor and state, and the share of domestic chips',
      request: { query: z.strictObject({ dtype }) },
      responses: { 200: json(capacity, 'Supply now') },
    }),
    async (context) => {
      const found = await factory.capacity.now(context.get('principal').viewer, context.req.valid('query').dtype)
      return context.json(present(found), 200)
    },
  )

  app.openapi(
    declare(factory, 'supply:read', {
      method: 'get',
      path: '/api/v1/capacity/history',
      tags: ['supply'],
      summary: 'The centre’s supply over time, one point an hour; the last week where no period is given',
      request: { query: periodQuery.extend({ dtype }) },
      responses: { 200: listOf(capacityPoint, 'Points, oldest first') },
    }),
    async (context) => {
      // A point counts every tenant's nodes: nobody but the centre may read that.
      requireCentre(context.get('principal'))
      const { dtype: wanted, ...period } = context.req.valid('query')
      const { fromMs, toMs } = periodOf(factory.clock, period, WEEK_MS)
      const points = await factory.capacity.history(new Date(fromMs), new Date(toMs), wanted)
      const items = points.map(({ at, nominal, effective, usable, chips }) => {
        return { at: at.toISOString(), nominal, effective, usable, chips }
      })
      return context.json({ items, nextCursor: null }, 200)
    },
  )

  return app
}

function present(view: CapacityView): Capacity {
  return {
    at: view.at.toISOString(),
    assumption: { ...view.assumption, text: { ...view.assumption.text } },
    headline: view.headline && { ...view.headline },
    byVendor: view.byVendor.map((row) => ({
      ...row,
      products: [...row.products],
      figures: row.figures.map((figure) => ({ ...figure })),
      states: { ...row.states },
    })),
    byState: view.byState.map((row) => ({ ...row })),
    domestic: { ...view.domestic, idle: view.domestic.idle.map((row) => ({ ...row })) },
  }
}
