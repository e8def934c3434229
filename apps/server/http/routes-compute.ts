import { z } from '@hono/zod-openapi'
import { chip, oneOf, operation, pageQuery, provingRecord, reference } from '../api/schemas.ts'
import type { Factory } from '../factory.ts'
import { presentOperation, presentRecord } from '../present.ts'
import { declare, json, listOf, notFound, toPage } from './declare.ts'
import { createRouter } from './router.ts'

const newRun = z.strictObject({ chipId: reference }).openapi('NewProvingRun')

export function computeRoutes(factory: Factory) {
  const app = createRouter()

  app.openapi(
    declare(factory, 'chips:read', {
      method: 'get',
      path: '/api/v1/chips',
      tags: ['compute'],
      summary: 'Chips with their facts and scores',
      request: { query: pageQuery },
      responses: { 200: listOf(chip, 'Chips') },
    }),
    async (context) => {
      const { cursor, limit } = context.req.valid('query')
      const rows = await factory.fleet.chips({ after: cursor ?? null, limit: limit + 1 })
      const shown = toPage(rows, limit, (row) => row)
      const scope = context.get('principal').scope
      return context.json({ ...shown, items: await factory.describeChips(scope, shown.items) }, 200)
    },
  )

  app.openapi(
    declare(factory, 'chips:read', {
      method: 'get',
      path: '/api/v1/chips/{id}',
      tags: ['compute'],
      summary: 'One chip',
      request: oneOf,
      responses: { 200: json(chip, 'The chip'), 404: notFound },
    }),
    async (context) => {
      const found = await factory.fleet.chip(context.req.valid('param').id)
      const [described] = await factory.describeChips(context.get('principal').scope, [found])
      return context.json(described as z.infer<typeof chip>, 200)
    },
  )

  app.openapi(
    declare(factory, 'proving:read', {
      method: 'get',
      path: '/api/v1/proving/records',
      tags: ['compute'],
      summary: 'Measurements, newest first',
      request: { query: pageQuery.extend({ chip: reference.optional() }) },
      responses: { 200: listOf(provingRecord, 'Records') },
    }),
    async (context) => {
      const { cursor, limit, chip: chipUuid } = context.req.valid('query')
      const records = await factory.proving.listRecords({ chipUuid: chipUuid ?? null, cursor: cursor ?? null, limit })
      return context.json(
        {
          items: records.items.map((item) => presentRecord(item, factory.proving.verify(item))),
          nextCursor: records.nextCursor,
        },
        200,
      )
    },
  )

  app.openapi(
    declare(factory, 'proving:read', {
      method: 'get',
      path: '/api/v1/proving/records/{id}',
      tags: ['compute'],
      summary: 'One measurement with every input and raw sample',
      request: oneOf,
      responses: { 200: json(provingRecord, 'The record'), 404: notFound },
    }),
    async (context) => {
      const record = await factory.proving.record(context.req.valid('param').id)
      return context.json(presentRecord(record, factory.proving.verify(record)), 200)
    },
  )

  app.openapi(
    declare(factory, 'proving:run', {
      method: 'post',
      path: '/api/v1/proving/runs',
      tags: ['compute'],
      summary: 'Measure a chip with the quick suite',
      request: { body: { content: { 'application/json': { schema: newRun } }, required: true } },
      responses: { 202: json(operation, 'Begun; follow it at /api/v1/operations/{id}'), 404: notFound },
    }),
    async (context) => {
      const found = await factory.fleet.chip(context.req.valid('json').chipId)
      return context.json(presentOperation(await factory.prove(context.get('principal').scope, found)), 202)
    },
  )

  return app
}
