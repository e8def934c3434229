import { z } from '@hono/zod-openapi'
import { chipEvent, chipState, reasonRequest, series } from '../api/fleet-schemas.ts'
import { chip, oneOf, pageQuery, reference } from '../api/schemas.ts'
import type { Factory } from '../factory.ts'
import { presentCoded, presentEvent, presentSeries } from '../present-fleet.ts'
import { body, declare, declareChange, json, listOf, notFound, pageOf, toPage } from './declare.ts'
import { between, periodOf, periodQuery } from './period.ts'
import { changeableChip } from './reach.ts'
import { createRouter } from './router.ts'

const chipsQuery = pageQuery.extend({
  vendor: reference.optional(),
  state: chipState.optional(),
  node: reference.optional(),
  rack: reference.optional(),
  simulated: z.enum(['true', 'false']).optional(),
  /** `true`: those that were taken out for good, which are in no other list. */
  retired: z.enum(['true', 'false']).optional(),
  q: reference.optional(),
})
const eventsQuery = pageQuery.extend(periodQuery.shape)
const MOST_METRICS = 20
const seriesQuery = periodQuery.extend({
  metrics: z
    .string()
    .regex(/^\w+(,\w+)*$/, 'names of metrics with commas between them')
    .transform((text) => [...new Set(text.split(','))])
    .refine((names) => names.length <= MOST_METRICS, `at most ${MOST_METRICS} metrics`)
    .openapi({ type: 'string', example: 'utilizationRatio,temperatureCelsius' }),
  resolution: z.enum(['raw', 'minute', 'hour']).optional(),
})

export function chipRoutes(factory: Factory) {
  const app = createRouter()
  const { fleet } = factory

  app.openapi(
    declare(factory, 'chips:read', {
      method: 'get',
      path: '/api/v1/chips',
      tags: ['fleet'],
      summary: 'Chips with their facts, state, newest readings and scores',
      request: { query: chipsQuery },
      responses: { 200: listOf(chip, 'Chips') },
    }),
    async (context) => {
      const { cursor, limit, vendor, state, node, rack, simulated, retired, q } = context.req.valid('query')
      const { scope, viewer } = context.get('principal')
      const filter = {
        ...(vendor === undefined ? {} : { vendor }),
        ...(state === undefined ? {} : { state }),
        ...(node === undefined ? {} : { nodeId: node }),
        ...(rack === undefined ? {} : { rack }),
        ...(simulated === undefined ? {} : { simulated: simulated === 'true' }),
        ...(retired === undefined ? {} : { retired: retired === 'true' }),
        ...(q === undefined ? {} : { text: q }),
      }
      const rows = await fleet.chips({ viewer, after: cursor ?? null, limit: limit + 1, filter })
      const shown = pageOf(rows, limit)
      return context.json({ ...shown, items: await factory.describeChips(scope, shown.items) }, 200)
    },
  )

  app.openapi(
    declare(factory, 'chips:read', {
      method: 'get',
      path: '/api/v1/chips/{id}',
      tags: ['fleet'],
      summary: 'One chip, by its id or its uuid',
      request: oneOf,
      responses: { 200: json(chip, 'The chip'), 404: notFound },
    }),
    async (context) => {
      const { scope, viewer } = context.get('principal')
      const found = await fleet.chip(context.req.valid('param').id, viewer)
      const [described] = await factory.describeChips(scope, [found])
      return context.json(described as z.infer<typeof chip>, 200)
    },
  )

  app.openapi(
    declare(factory, 'chips:read', {
      method: 'get',
      path: '/api/v1/chips/{id}/events',
      tags: ['fleet'],
      summary: 'What happened to a chip, newest first',
      request: { ...oneOf, query: eventsQuery },
      responses: { 200: listOf(chipEvent, 'Events'), 404: notFound },
    }),
    async (context) => {
      const { viewer } = context.get('principal')
      const { cursor, limit, ...period } = context.req.valid('query')
      const { id } = await fleet.chip(context.req.valid('param').id, viewer)
      const page = { viewer, chipId: id, ...between(period), after: cursor ?? null, limit: limit + 1 }
      return context.json(toPage(await fleet.events(page), limit, presentEvent), 200)
    },
  )

  app.openapi(
    declare(factory, 'chips:read', {
      method: 'get',
      path: '/api/v1/chips/{id}/series',
      tags: ['fleet'],
      summary: 'Readings of a chip over time; what is missing is marked as a gap',
      request: { ...oneOf, query: seriesQuery },
      responses: { 200: json(z.object({ items: z.array(series) }), 'One series per metric'), 404: notFound },
    }),
    async (context) => {
      const { metrics, resolution, ...period } = context.req.valid('query')
      const found = await fleet.chip(context.req.valid('param').id, context.get('principal').viewer)
      const read = await factory.monitoring.series({
        nodeId: found.nodeId,
        chipUuid: found.facts.uuid,
        metrics,
        ...periodOf(factory.clock, period),
        ...(resolution === undefined ? {} : { resolution }),
      })
      return context.json({ items: read.map((each) => presentSeries(found.id, each)) }, 200)
    },
  )

  const changes = [
    { verb: 'quarantine', summary: 'Place nothing on a chip until it is released' },
    { verb: 'release', summary: 'Take a chip out of quarantine' },
    { verb: 'retire', summary: 'Say that a chip was taken out for good: it leaves lists, counts and alerts' },
    { verb: 'restore', summary: 'Take back that a chip was retired' },
  ] as const
  for (const { verb, summary } of changes) {
    app.openapi(
      declareChange(factory, 'nodes:write', `chip.${verb}`, {
        method: 'post',
        path: `/api/v1/chips/{id}/${verb}`,
        tags: ['fleet'],
        summary,
        request: { ...oneOf, ...body(reasonRequest) },
        responses: { 200: json(chip, 'The chip'), 404: notFound },
      }),
      async (context) => {
        const principal = context.get('principal')
        const before = await changeableChip(factory, principal, context.req.valid('param').id)
        const { reason } = context.req.valid('json')
        const after = await fleet[verb](principal.reach, before.id, reason)
        factory.live.touch('chips')
        const told = ({ quarantine, retired }: typeof after) => ({
          quarantine: quarantine && presentCoded(quarantine.reason),
          retired: retired && presentCoded(retired.reason),
        })
        context.set('change', {
          subject: before.id,
          before: told(before),
          after: { ...told(after), reason },
        })
        const [described] = await factory.describeChips(principal.scope, [after])
        return context.json(described as z.infer<typeof chip>, 200)
      },
    )
  }

  return app
}
