import { z } from '@hono/zod-openapi'
import {
  card,
  cordonRequest,
  gap,
  maintenanceWindow,
  newMaintenance,
  node,
  nodeChange,
  nodeTopology,
  reasonRequest,
} from '../api/fleet-schemas.ts'
import { oneOf, pageQuery, reference } from '../api/schemas.ts'
import { serverErrors } from '../errors.ts'
import type { Factory } from '../factory.ts'
import { presentCard, presentGap, presentNode, presentTopology, presentWindow } from '../present-fleet.ts'
import { body, declare, declareChange, json, listOf, notFound, toPage } from './declare.ts'
import { periodOf, periodQuery } from './period.ts'
import { changeableNode } from './reach.ts'
import { createRouter } from './router.ts'

const MOST_CHIPS_OF_A_NODE = 1_024

/** Nodes, and what an operator does with them. */
export function nodeRoutes(factory: Factory) {
  const app = createRouter()
  const { fleet } = factory

  app.openapi(
    declare(factory, 'nodes:read', {
      method: 'get',
      path: '/api/v1/nodes',
      tags: ['fleet'],
      summary: 'Nodes: the centre’s and the tenant’s own',
      request: { query: pageQuery.extend({ q: reference.optional() }) },
      responses: { 200: listOf(node, 'Nodes') },
    }),
    async (context) => {
      const { cursor, limit, q } = context.req.valid('query')
      const { viewer } = context.get('principal')
      const text = q === undefined ? {} : { text: q }
      const rows = await fleet.nodes({ viewer, after: cursor ?? null, limit: limit + 1, ...text })
      return context.json(toPage(rows, limit, presentNode), 200)
    },
  )

  app.openapi(
    declare(factory, 'nodes:read', {
      method: 'get',
      path: '/api/v1/nodes/{id}',
      tags: ['fleet'],
      summary: 'One node',
      request: oneOf,
      responses: { 200: json(node, 'The node'), 404: notFound },
    }),
    async (context) => {
      const found = await fleet.node(context.req.valid('param').id, context.get('principal').viewer)
      return context.json(presentNode(found), 200)
    },
  )

  app.openapi(
    declareChange(factory, 'nodes:write', 'node.describe', {
      method: 'patch',
      path: '/api/v1/nodes/{id}',
      tags: ['fleet'],
      summary: 'Say where a node stands; its labels and taints in the words of Kubernetes',
      request: { ...oneOf, ...body(nodeChange) },
      responses: { 200: json(node, 'The node'), 404: notFound },
    }),
    async (context) => {
      const principal = context.get('principal')
      const before = await changeableNode(factory, principal, context.req.valid('param').id)
      const { labels, taints, place } = context.req.valid('json')
      const after = await fleet.describe(principal.reach, before.id, {
        ...(labels ? { labels } : {}),
        ...(taints ? { taints } : {}),
        ...(place ? { place } : {}),
      })
      factory.live.touch('nodes', 'chips')
      const told = (view: typeof after) => ({ labels: view.labels, taints: view.taints, place: view.place })
      context.set('change', { before: told(before), after: told(after) })
      return context.json(presentNode(after), 200)
    },
  )

  app.openapi(
    declareChange(factory, 'nodes:write', 'node.cordon', {
      method: 'post',
      path: '/api/v1/nodes/{id}/cordon',
      tags: ['fleet'],
      summary: 'Place nothing new on a node; with `drain`, end what runs there too',
      request: { ...oneOf, ...body(cordonRequest) },
      responses: { 200: json(node, 'The node'), 404: notFound },
    }),
    async (context) => {
      const principal = context.get('principal')
      const before = await changeableNode(factory, principal, context.req.valid('param').id)
      const after = await fleet.cordon(principal.reach, before.id, context.req.valid('json'))
      await factory.orders.refresh()
      factory.live.touch('nodes', 'chips')
      context.set('change', { before: { cordon: before.cordon }, after: { cordon: after.cordon } })
      return context.json(presentNode(after), 200)
    },
  )

  app.openapi(
    declareChange(factory, 'nodes:write', 'node.uncordon', {
      method: 'post',
      path: '/api/v1/nodes/{id}/uncordon',
      tags: ['fleet'],
      summary: 'Let work be placed on a node again',
      request: oneOf,
      responses: { 200: json(node, 'The node'), 404: notFound },
    }),
    async (context) => {
      const principal = context.get('principal')
      const before = await changeableNode(factory, principal, context.req.valid('param').id)
      const after = await fleet.uncordon(principal.reach, before.id)
      await factory.orders.refresh()
      factory.live.touch('nodes', 'chips')
      context.set('change', { before: { cordon: before.cordon }, after: { cordon: after.cordon } })
      return context.json(presentNode(after), 200)
    },
  )

  app.openapi(
    declareChange(
      factory,
      'nodes:write',
      'node.revoke',
      {
        method: 'post',
        path: '/api/v1/nodes/{id}/revoke',
        tags: ['fleet'],
        summary: 'Make a node’s key worthless and cut its connection; the node can never come back under it',
        request: { ...oneOf, ...body(reasonRequest) },
        responses: { 200: json(node, 'The node'), 404: notFound },
      },
      { notedByModule: true },
    ),
    async (context) => {
      const principal = context.get('principal')
      const { id, tenantId } = await changeableNode(factory, principal, context.req.valid('param').id)
      // Its agent is a process of this factory, which would only be refused from then on.
      if (factory.ownNodes.ids.includes(id)) throw serverErrors['node.own']()
      const { reason } = context.req.valid('json')
      await factory.revokeNode({ ...principal.scope, ...ownerOf(tenantId) }, id, reason, {
        centre: principal.viewer.all,
      })
      return context.json(presentNode(await fleet.node(id, principal.viewer)), 200)
    },
  )

  app.openapi(
    declare(factory, 'nodes:read', {
      method: 'get',
      path: '/api/v1/nodes/{id}/cards',
      tags: ['fleet'],
      summary: 'Cards of a node, each with its chips',
      request: oneOf,
      responses: { 200: listOf(card, 'Cards'), 404: notFound },
    }),
    async (context) => {
      const { viewer } = context.get('principal')
      const { id } = await fleet.node(context.req.valid('param').id, viewer)
      return context.json({ items: (await fleet.cards(id, viewer)).map(presentCard), nextCursor: null }, 200)
    },
  )

  app.openapi(
    declare(factory, 'nodes:read', {
      method: 'get',
      path: '/api/v1/nodes/{id}/topology',
      tags: ['fleet'],
      summary: 'How the chips of a node are linked, and where it stands',
      request: oneOf,
      responses: { 200: json(nodeTopology, 'Topology'), 404: notFound },
    }),
    async (context) => {
      const { viewer } = context.get('principal')
      const found = await fleet.node(context.req.valid('param').id, viewer)
      const filter = { nodeId: found.id }
      const chips = await fleet.chips({ viewer, after: null, limit: MOST_CHIPS_OF_A_NODE, filter })
      return context.json(presentTopology(found, chips), 200)
    },
  )

  app.openapi(
    declare(factory, 'nodes:read', {
      method: 'get',
      path: '/api/v1/nodes/{id}/gaps',
      tags: ['fleet'],
      summary: 'Times in which nobody looked at a node',
      request: { ...oneOf, query: periodQuery },
      responses: { 200: listOf(gap, 'Gaps'), 404: notFound },
    }),
    async (context) => {
      const { id } = await fleet.node(context.req.valid('param').id, context.get('principal').viewer)
      const { fromMs, toMs } = periodOf(factory.clock, context.req.valid('query'))
      const gaps = await factory.monitoring.gaps({ nodeId: id, fromMs, toMs })
      return context.json({ items: gaps.map(presentGap), nextCursor: null }, 200)
    },
  )

  app.openapi(
    declare(factory, 'nodes:read', {
      method: 'get',
      path: '/api/v1/maintenance',
      tags: ['fleet'],
      summary: 'Maintenance windows, now and to come',
      request: { query: z.strictObject({ node: reference.optional() }) },
      responses: { 200: listOf(maintenanceWindow, 'Windows') },
    }),
    async (context) => {
      const windows = await fleet.maintenance(context.get('principal').viewer, context.req.valid('query').node)
      return context.json({ items: windows.map(presentWindow), nextCursor: null }, 200)
    },
  )

  app.openapi(
    declareChange(factory, 'nodes:write', 'maintenance.plan', {
      method: 'post',
      path: '/api/v1/nodes/{id}/maintenance',
      tags: ['fleet'],
      summary: 'Plan a maintenance window: nothing is placed and nobody is called while it lasts',
      request: { ...oneOf, ...body(newMaintenance) },
      responses: { 201: json(maintenanceWindow, 'The window'), 404: notFound },
    }),
    async (context) => {
      const principal = context.get('principal')
      const { id } = await changeableNode(factory, principal, context.req.valid('param').id)
      const { startsAt, endsAt, reason } = context.req.valid('json')
      const planned = presentWindow(
        await fleet.planMaintenance(principal.reach, id, {
          startsAt: new Date(startsAt),
          endsAt: new Date(endsAt),
          reason,
        }),
      )
      factory.live.touch('nodes')
      context.set('change', { after: planned })
      return context.json(planned, 201)
    },
  )

  app.openapi(
    declareChange(factory, 'nodes:write', 'maintenance.cancel', {
      method: 'delete',
      path: '/api/v1/maintenance/{id}',
      tags: ['fleet'],
      summary: 'Take a maintenance window back, or end it now',
      request: oneOf,
      responses: { 204: { description: 'Cancelled' }, 404: notFound },
    }),
    async (context) => {
      const principal = context.get('principal')
      const { id } = context.req.valid('param')
      const window = (await fleet.maintenance(principal.viewer)).find((each) => each.id === id)
      // Unknown ones are left to the fleet, which knows what to say of them.
      if (window) await changeableNode(factory, principal, window.nodeId)
      await fleet.cancelMaintenance(principal.reach, id)
      factory.live.touch('nodes')
      context.set('change', { before: window && presentWindow(window) })
      return context.body(null, 204)
    },
  )

  return app
}

/** A tenant's node is revoked under its own name, so that its audit tells of it. */
function ownerOf(tenantId: string | null): { tenantId?: `tenant_${string}` } {
  return tenantId === null ? {} : { tenantId: tenantId as `tenant_${string}` }
}
