import { z } from '@hono/zod-openapi'
import { oneOf, operation, session, status } from '../api/schemas.ts'
import { serverErrors } from '../errors.ts'
import type { Factory } from '../factory.ts'
import { presentOperation } from '../present.ts'
import { declare, declareChange, json, notFound } from './declare.ts'
import { createRouter } from './router.ts'

const signInLink = z.object({ url: z.string(), expiresAt: z.iso.datetime() }).openapi('SignInLink')

export function systemRoutes(factory: Factory) {
  const app = createRouter()

  app.openapi(
    declare(factory, 'status:read', {
      method: 'get',
      path: '/api/v1/status',
      tags: ['system'],
      summary: 'State of the factory',
      responses: { 200: json(status, 'State of the factory as a whole') },
    }),
    async (context) => context.json(await factory.status.of(context.get('principal').scope), 200),
  )

  app.openapi(
    declare(factory, 'status:read', {
      method: 'get',
      path: '/api/v1/session',
      tags: ['system'],
      summary: 'Who is asking',
      responses: { 200: json(session, 'The signed-in person, tenant and permissions') },
    }),
    async (context) => context.json(await factory.sessionView(context.get('principal')), 200),
  )

  app.openapi(
    declareChange(
      factory,
      'sign-in-links:write',
      'sign-in-link.create',
      {
        method: 'post',
        path: '/api/v1/sign-in-links',
        tags: ['system'],
        summary: 'Make a one-time sign-in link for who asks',
        responses: { 201: json(signInLink, 'Works once; the token is in the fragment, which browsers do not send') },
      },
      { answerHoldsSecret: true },
    ),
    async (context) => {
      const principal = context.get('principal')
      context.set('change', { subject: principal.session.userId })
      return context.json(await factory.signInLink(principal), 201)
    },
  )

  app.openapi(
    declare(factory, 'status:read', {
      method: 'get',
      path: '/api/v1/operations/{id}',
      tags: ['system'],
      summary: 'Progress of long work',
      request: oneOf,
      responses: { 200: json(operation, 'The operation'), 404: notFound },
    }),
    async (context) => {
      const { id } = context.req.valid('param')
      const found = await factory.operations.of(context.get('principal').scope).find(id)
      if (!found) throw serverErrors['operation.unknown']({ id })
      return context.json(presentOperation(found), 200)
    },
  )

  return app
}
