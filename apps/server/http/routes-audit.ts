import type { AuditEntry as Entry } from '@medley/audit'
import { type AuditEntry, auditEntry } from '../api/fleet-schemas.ts'
import { pageQuery, reference } from '../api/schemas.ts'
import type { Factory } from '../factory.ts'
import { declare, listOf, toPage } from './declare.ts'
import { between, periodQuery } from './period.ts'
import { createRouter } from './router.ts'

const auditQuery = pageQuery.extend({
  action: reference.optional(),
  subject: reference.optional(),
  outcome: auditEntry.shape.outcome.optional(),
  ...periodQuery.shape,
})

export function auditRoutes(factory: Factory) {
  const app = createRouter()
  app.openapi(
    declare(factory, 'audit:read', {
      method: 'get',
      path: '/api/v1/audit',
      tags: ['system'],
      summary: 'Who did or tried what, newest first; the centre’s operator sees all tenants’',
      request: { query: auditQuery },
      responses: { 200: listOf(auditEntry, 'Entries') },
    }),
    async (context) => {
      const { cursor, limit, action, subject, outcome, ...period } = context.req.valid('query')
      const rows = await factory.audit.list(context.get('principal').reach, {
        after: cursor ?? null,
        limit: limit + 1,
        ...(action === undefined ? {} : { action }),
        ...(subject === undefined ? {} : { subject }),
        ...(outcome === undefined ? {} : { outcome }),
        ...between(period),
      })
      return context.json(toPage(rows, limit, presentEntry), 200)
    },
  )
  return app
}

function presentEntry({ tenantId: _tenant, at, detail, actor, ...entry }: Entry): AuditEntry {
  return { ...entry, at: at.toISOString(), actor: { ...actor }, detail: { ...detail } }
}
