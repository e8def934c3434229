import { z } from '@hono/zod-openapi'
import type { Viewer } from '@medley/fleet'
import { provingErrors } from '@medley/proving'
import { oneOf, operation, pageQuery, provingRecord, reference } from '../api/schemas.ts'
import type { Factory } from '../factory.ts'
import { presentOperation, presentRecord } from '../present.ts'
import { body, declare, declareChange, json, listOf, notFound } from './declare.ts'
import { createRouter } from './router.ts'

const newRun = z.strictObject({ chipId: reference }).openapi('NewProvingRun')

/** Measurements of chips. */
export function provingRoutes(factory: Factory) {
  const app = createRouter()

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
      const seen = await visibleChips(factory, context.get('principal').viewer)
      const items = records.items.filter((item) => seen(item.chipUuid))
      return context.json(
        {
          items: items.map((item) => presentRecord(item, factory.proving.verify(item))),
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
      const { id } = context.req.valid('param')
      const record = await factory.proving.record(id)
      const seen = await visibleChips(factory, context.get('principal').viewer)
      if (!seen(record.chipUuid)) throw provingErrors['record.unknown']({ record: id })
      return context.json(presentRecord(record, factory.proving.verify(record)), 200)
    },
  )

  app.openapi(
    declareChange(factory, 'proving:run', 'proving.start', {
      method: 'post',
      path: '/api/v1/proving/runs',
      tags: ['compute'],
      summary: 'Measure a chip with the quick suite',
      request: body(newRun),
      responses: { 202: json(operation, 'Begun; follow it at /api/v1/operations/{id}'), 404: notFound },
    }),
    async (context) => {
      const { scope, viewer } = context.get('principal')
      const { chipId } = context.req.valid('json')
      const begun = await factory.prove(scope, await factory.fleet.chip(chipId, viewer))
      context.set('change', { subject: chipId, after: { operation: begun.id } })
      return context.json(presentOperation(begun), 202)
    },
  )

  return app
}

/** Chips of another tenant's nodes are not there; of those that are gone, the scores remain for all. */
async function visibleChips(factory: Factory, viewer: Viewer): Promise<(chipUuid: string) => boolean> {
  const { byUuid } = await factory.index.picture()
  return (uuid) => {
    const tenantId = byUuid.get(uuid)?.tenantId ?? null
    return viewer.all || tenantId === null || tenantId === viewer.tenantId
  }
}
