import type { Viewer } from '@medley/fleet'
import { CHIP_METRICS } from '@medley/monitoring/protocol'
import { chipEvent, fleetMap, fleetSummary, metricDefinition } from '../api/fleet-schemas.ts'
import { pageQuery, reference } from '../api/schemas.ts'
import type { Factory } from '../factory.ts'
import { presentCell, presentEvent } from '../present-fleet.ts'
import { declare, json, listOf, toPage } from './declare.ts'
import { between, periodQuery } from './period.ts'
import { createRouter } from './router.ts'

const eventsQuery = pageQuery.extend({ node: reference.optional(), ...periodQuery.shape })

/** The fleet as a whole. */
export function fleetRoutes(factory: Factory) {
  const app = createRouter()

  app.openapi(
    declare(factory, 'chips:read', {
      method: 'get',
      path: '/api/v1/fleet/summary',
      tags: ['fleet'],
      summary: 'How many nodes and chips there are, by vendor and state',
      responses: { 200: json(fleetSummary, 'Counts') },
    }),
    async (context) => {
      const { nodes, chips, byVendor } = await factory.fleet.summary(context.get('principal').viewer)
      const counted = byVendor.map(({ vendor, simulated, states }) => ({ vendor, simulated, states: { ...states } }))
      return context.json({ nodes, chips, byVendor: counted }, 200)
    },
  )

  app.openapi(
    declare(factory, 'chips:read', {
      method: 'get',
      path: '/api/v1/fleet/map',
      tags: ['fleet'],
      summary: 'Every chip as one cell, with its newest utilisation and temperature',
      responses: { 200: json(fleetMap, 'All cells') },
    }),
    async (context) => {
      const { cells } = await factory.index.picture()
      const seen = visible(cells, context.get('principal').viewer)
      const at = new Date(factory.clock.now()).toISOString()
      const shown = seen.map((cell) => presentCell(cell, factory.monitoring.latest(cell.uuid)))
      return context.json({ at, cells: shown }, 200)
    },
  )

  app.openapi(
    declare(factory, 'chips:read', {
      method: 'get',
      path: '/api/v1/fleet/events',
      tags: ['fleet'],
      summary: 'What happened to chips, newest first',
      request: { query: eventsQuery },
      responses: { 200: listOf(chipEvent, 'Events') },
    }),
    async (context) => {
      const { cursor, limit, node, ...period } = context.req.valid('query')
      const rows = await factory.fleet.events({
        viewer: context.get('principal').viewer,
        ...(node === undefined ? {} : { nodeId: node }),
        ...between(period),
        after: cursor ?? null,
        limit: limit + 1,
      })
      return context.json(toPage(rows, limit, presentEvent), 200)
    },
  )

  app.openapi(
    declare(factory, 'chips:read', {
      method: 'get',
      path: '/api/v1/metrics',
      tags: ['fleet'],
      summary: 'The catalogue of readings, one for all vendors',
      responses: { 200: listOf(metricDefinition, 'Metrics') },
    }),
    (context) => context.json({ items: [...CHIP_METRICS], nextCursor: null }, 200),
  )

  return app
}

function visible<Cell extends { readonly tenantId: string | null }>(
  cells: readonly Cell[],
  viewer: Viewer,
): readonly Cell[] {
  if (viewer.all) return cells
  return cells.filter(({ tenantId }) => tenantId === null || tenantId === viewer.tenantId)
}
