import { z } from '@hono/zod-openapi'
import { type Vendor, vendor } from '../api/fleet-schemas.ts'
import { reference } from '../api/schemas.ts'
import type { Factory } from '../factory.ts'
import type { VendorView } from '../vendors.ts'
import { body, declare, declareChange, json, listOf, notFound } from './declare.ts'
import { requireCentre } from './reach.ts'
import { createRouter } from './router.ts'

const sheet = vendor.shape.sheets.element.openapi('ProductSheet')
const newSheet = z
  .strictObject({
    peaks: z
      .array(
        z.strictObject({
          dtype: z.string().regex(/^[a-z][a-z0-9]{1,15}$/),
          teraops: z.number().positive().max(1e9),
          sparse: z.boolean().default(false),
        }),
      )
      .min(1)
      .max(32),
    bandwidthBytesPerSecond: z.number().positive().nullable().default(null),
    source: reference.openapi({
      description: 'Where the figures are from, such as the maker’s datasheet and its date',
    }),
    confidence: z.enum(['high', 'medium', 'low']).default('high'),
  })
  .openapi('NewProductSheet')
const named = { params: z.object({ name: reference }) }
const oneSheet = { params: z.object({ name: reference, product: reference }) }

/** What is known of each vendor and its products. */
export function vendorRoutes(factory: Factory) {
  const app = createRouter()
  const { vendors } = factory

  app.openapi(
    declare(factory, 'chips:read', {
      method: 'get',
      path: '/api/v1/vendors',
      tags: ['supply'],
      summary: 'Vendors whose chips can be managed, with their products’ peaks',
      responses: { 200: listOf(vendor, 'Vendors') },
    }),
    async (context) => context.json({ items: (await vendors.list()).map(present), nextCursor: null }, 200),
  )

  app.openapi(
    declare(factory, 'chips:read', {
      method: 'get',
      path: '/api/v1/vendors/{name}',
      tags: ['supply'],
      summary: 'One vendor',
      request: named,
      responses: { 200: json(vendor, 'The vendor'), 404: notFound },
    }),
    async (context) => context.json(present(await vendors.get(context.req.valid('param').name)), 200),
  )

  app.openapi(
    declareChange(factory, 'supply:write', 'sheet.override', {
      method: 'put',
      path: '/api/v1/vendors/{name}/sheets/{product}',
      tags: ['supply'],
      summary: 'Put the maker’s own sheet in the place of ours',
      request: { ...oneSheet, ...body(newSheet) },
      responses: { 200: json(sheet, 'The sheet'), 404: notFound },
    }),
    async (context) => {
      const principal = context.get('principal')
      requireCentre(principal)
      const { name, product } = context.req.valid('param')
      const before = (await vendors.get(name)).sheets.find((each) => each.product === product)
      const given = { product, ...context.req.valid('json') }
      const after = await vendors.override(principal.scope, name, given)
      context.set('change', { subject: `${name}/${product}`, before, after })
      return context.json({ ...after, peaks: [...after.peaks] }, 200)
    },
  )

  app.openapi(
    declareChange(factory, 'supply:write', 'sheet.reset', {
      method: 'delete',
      path: '/api/v1/vendors/{name}/sheets/{product}',
      tags: ['supply'],
      summary: 'Take an operator’s sheet back; ours holds again',
      request: oneSheet,
      responses: { 204: { description: 'Ours again' }, 404: notFound },
    }),
    async (context) => {
      requireCentre(context.get('principal'))
      const { name, product } = context.req.valid('param')
      const before = (await vendors.get(name)).sheets.find((each) => each.product === product)
      await vendors.reset(name, product)
      context.set('change', { subject: `${name}/${product}`, before })
      return context.body(null, 204)
    },
  )

  return app
}

function present(view: VendorView): Vendor {
  return {
    ...view,
    pciVendorIds: [...view.pciVendorIds],
    kubernetesResources: [...view.kubernetesResources],
    sheets: view.sheets.map((each) => ({ ...each, peaks: each.peaks.map((peak) => ({ ...peak })) })),
  }
}
