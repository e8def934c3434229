import { z } from '@hono/zod-openapi'
import type { Alert as AlertView, AlertChannel as ChannelView, AlertRule as RuleView } from '@medley/alerting'
import {
  type Alert,
  type AlertChannel,
  type AlertRule,
  alert,
  alertChannel,
  alertRule,
  newAlertChannel,
  newAlertRule,
} from '../api/fleet-schemas.ts'
import { oneOf, pageQuery } from '../api/schemas.ts'
import type { Factory } from '../factory.ts'
import { presentCoded } from '../present-fleet.ts'
import { body, declare, declareChange, json, listOf, notFound } from './declare.ts'
import { requireCentre } from './reach.ts'
import { createRouter } from './router.ts'

const acknowledgement = z.strictObject({ note: z.string().trim().max(500).default('') }).openapi('Acknowledgement')
const sendOutcome = z.object({ ok: z.boolean(), error: z.string().nullable() }).openapi('SendOutcome')
const ruleChange = newAlertRule.partial().openapi('AlertRuleChange')

export function alertRoutes(factory: Factory) {
  const app = createRouter()
  const { alerting } = factory

  app.openapi(
    declare(factory, 'alerts:read', {
      method: 'get',
      path: '/api/v1/alerts',
      tags: ['alerts'],
      summary: 'Alerts, newest first',
      request: { query: pageQuery.extend({ state: alert.shape.state.optional() }) },
      responses: { 200: listOf(alert, 'Alerts') },
    }),
    async (context) => {
      const { cursor, limit, state } = context.req.valid('query')
      const { viewer } = context.get('principal')
      const found = await alerting.alerts({ viewer, state, cursor: cursor ?? null, limit })
      return context.json({ items: found.items.map(presentAlert), nextCursor: found.nextCursor }, 200)
    },
  )

  app.openapi(
    declareChange(factory, 'alerts:write', 'alert.acknowledge', {
      method: 'post',
      path: '/api/v1/alerts/{id}/acknowledge',
      tags: ['alerts'],
      summary: 'Say that somebody looks after it',
      request: { ...oneOf, ...body(acknowledgement) },
      responses: { 200: json(alert, 'The alert'), 404: notFound },
    }),
    async (context) => {
      const { scope, viewer } = context.get('principal')
      const { note } = context.req.valid('json')
      const acknowledged = await alerting.acknowledge(scope, context.req.valid('param').id, note, viewer)
      factory.live.touch('alerts')
      context.set('change', { after: { note } })
      return context.json(presentAlert(acknowledged), 200)
    },
  )

  app.openapi(
    declare(factory, 'alerts:read', {
      method: 'get',
      path: '/api/v1/alert-rules',
      tags: ['alerts'],
      summary: 'When somebody is called',
      responses: { 200: listOf(alertRule, 'Rules') },
    }),
    async (context) => context.json({ items: (await alerting.rules()).map(presentRule), nextCursor: null }, 200),
  )

  app.openapi(
    declareChange(factory, 'alerts:write', 'alert-rule.create', {
      method: 'post',
      path: '/api/v1/alert-rules',
      tags: ['alerts'],
      summary: 'Add a rule of the operator’s own',
      request: body(newAlertRule),
      responses: { 201: json(alertRule, 'The rule') },
    }),
    async (context) => {
      requireCentre(context.get('principal'))
      const created = presentRule(await alerting.createRule(context.req.valid('json')))
      factory.live.touch('alerts')
      context.set('change', { subject: created.id, after: created })
      return context.json(created, 201)
    },
  )

  app.openapi(
    declareChange(factory, 'alerts:write', 'alert-rule.change', {
      method: 'patch',
      path: '/api/v1/alert-rules/{id}',
      tags: ['alerts'],
      summary: 'Change a rule; of ours only threshold, duration, channels and whether it is on',
      request: { ...oneOf, ...body(ruleChange) },
      responses: { 200: json(alertRule, 'The rule'), 404: notFound },
    }),
    async (context) => {
      requireCentre(context.get('principal'))
      const { id } = context.req.valid('param')
      const before = await ruleBefore(factory, id)
      const after = presentRule(await alerting.changeRule(id, context.req.valid('json')))
      factory.live.touch('alerts')
      context.set('change', { before, after })
      return context.json(after, 200)
    },
  )

  app.openapi(
    declareChange(factory, 'alerts:write', 'alert-rule.delete', {
      method: 'delete',
      path: '/api/v1/alert-rules/{id}',
      tags: ['alerts'],
      summary: 'Remove a rule of the operator’s own',
      request: oneOf,
      responses: { 204: { description: 'Removed' }, 404: notFound },
    }),
    async (context) => {
      requireCentre(context.get('principal'))
      const { id } = context.req.valid('param')
      const before = await ruleBefore(factory, id)
      await alerting.deleteRule(id)
      factory.live.touch('alerts')
      context.set('change', { before })
      return context.body(null, 204)
    },
  )

  app.openapi(
    declare(factory, 'alerts:read', {
      method: 'get',
      path: '/api/v1/alert-channels',
      tags: ['alerts'],
      summary: 'Where alerts are sent, without the secret part of the addresses',
      responses: { 200: listOf(alertChannel, 'Channels') },
    }),
    async (context) => {
      requireCentre(context.get('principal'))
      return context.json({ items: (await alerting.channels()).map(presentChannel), nextCursor: null }, 200)
    },
  )

  app.openapi(
    declareChange(factory, 'alerts:write', 'alert-channel.create', {
      method: 'post',
      path: '/api/v1/alert-channels',
      tags: ['alerts'],
      summary: 'Add a channel; its address is kept encrypted and never shown again',
      request: body(newAlertChannel),
      responses: { 201: json(alertChannel, 'The channel') },
    }),
    async (context) => {
      requireCentre(context.get('principal'))
      const created = presentChannel(await alerting.createChannel(context.req.valid('json')))
      factory.live.touch('alerts')
      context.set('change', { subject: created.id, after: created })
      return context.json(created, 201)
    },
  )

  app.openapi(
    declareChange(factory, 'alerts:write', 'alert-channel.delete', {
      method: 'delete',
      path: '/api/v1/alert-channels/{id}',
      tags: ['alerts'],
      summary: 'Remove a channel; what waits for it is given up',
      request: oneOf,
      responses: { 204: { description: 'Removed' }, 404: notFound },
    }),
    async (context) => {
      requireCentre(context.get('principal'))
      const { id } = context.req.valid('param')
      const before = (await alerting.channels()).find((channel) => channel.id === id)
      await alerting.deleteChannel(id)
      factory.live.touch('alerts')
      context.set('change', { before: before && presentChannel(before) })
      return context.body(null, 204)
    },
  )

  app.openapi(
    declareChange(factory, 'alerts:write', 'alert-channel.test', {
      method: 'post',
      path: '/api/v1/alert-channels/{id}/test',
      tags: ['alerts'],
      summary: 'Send one message that says it is a test, now',
      request: oneOf,
      responses: { 200: json(sendOutcome, 'What the far side said'), 404: notFound },
    }),
    async (context) => {
      requireCentre(context.get('principal'))
      const outcome = await alerting.testChannel(context.req.valid('param').id)
      context.set('change', { after: { ok: outcome.ok } })
      return context.json({ ok: outcome.ok, error: outcome.ok ? null : outcome.error }, 200)
    },
  )

  return app
}

async function ruleBefore(factory: Factory, id: string): Promise<AlertRule | undefined> {
  const before = (await factory.alerting.rules()).find((rule) => rule.id === id)
  return before && presentRule(before)
}

function presentRule(view: RuleView): AlertRule {
  const { condition } = view
  return {
    ...view,
    name: { ...view.name },
    condition: condition.kind === 'chip-state' ? { ...condition, states: [...condition.states] } : { ...condition },
    vendors: [...view.vendors],
    channelIds: [...view.channelIds],
  }
}

function presentChannel(view: ChannelView): AlertChannel {
  return { ...view, createdAt: view.createdAt.toISOString() }
}

function presentAlert(view: AlertView): Alert {
  const { acknowledged } = view
  return {
    ...view,
    ruleName: { ...view.ruleName },
    evidence: view.evidence.map(presentCoded),
    startedAt: view.startedAt.toISOString(),
    resolvedAt: view.resolvedAt?.toISOString() ?? null,
    acknowledged: acknowledged && { ...acknowledged, at: acknowledged.at.toISOString() },
    deliveries: view.deliveries.map((each) => ({ ...each, at: each.at.toISOString() })),
  }
}
