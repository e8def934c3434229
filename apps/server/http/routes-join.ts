import type { JoinTokenView } from '@medley/enrolment'
import type { z } from 'zod'
import { createdJoinToken, joinToken, newJoinToken } from '../api/fleet-schemas.ts'
import { oneOf, pageQuery } from '../api/schemas.ts'
import { publicUrlOf } from '../config.ts'
import { serverErrors } from '../errors.ts'
import type { Factory } from '../factory.ts'
import { body, declare, declareChange, json, listOf, notFound, toPage } from './declare.ts'
import { createRouter } from './router.ts'

const SECOND_MS = 1_000

/** By which nodes join. The token itself is shown once. */
export function joinTokenRoutes(factory: Factory) {
  const app = createRouter()

  app.openapi(
    declare(factory, 'join-tokens:read', {
      method: 'get',
      path: '/api/v1/join-tokens',
      tags: ['fleet'],
      summary: 'Join tokens of the tenant, without the tokens themselves, newest first',
      request: { query: pageQuery },
      responses: { 200: listOf(joinToken, 'Join tokens') },
    }),
    async (context) => {
      const { cursor, limit } = context.req.valid('query')
      const { scope } = context.get('principal')
      const rows = await factory.enrolment.tokens(scope, { after: cursor ?? null, limit: limit + 1 })
      return context.json(toPage(rows, limit, presentToken), 200)
    },
  )

  app.openapi(
    declareChange(
      factory,
      'join-tokens:write',
      'join-token.create',
      {
        method: 'post',
        path: '/api/v1/join-tokens',
        tags: ['fleet'],
        summary: 'Make a join token; it is shown once, with the line to run on the node',
        request: body(newJoinToken),
        responses: { 201: json(createdJoinToken, 'The token') },
      },
      { answerHoldsSecret: true, notedByModule: true },
    ),
    async (context) => {
      const principal = context.get('principal')
      const { ttlSeconds, ...wish } = context.req.valid('json')
      // Such a node is offered to everybody: no tenant may bring one in on its own word.
      if (!wish.dedicated && !principal.home) throw serverErrors['join-token.for-all']()
      const { token, view } = await factory.enrolment.createToken(principal.scope, {
        ...wish,
        ttlMs: ttlSeconds * SECOND_MS,
      })
      return context.json({ ...presentToken(view), token, command: commandFor(factory, token) }, 201)
    },
  )

  app.openapi(
    declareChange(
      factory,
      'join-tokens:write',
      'join-token.revoke',
      {
        method: 'delete',
        path: '/api/v1/join-tokens/{id}',
        tags: ['fleet'],
        summary: 'Revoke a join token; nodes that joined by it stay',
        request: oneOf,
        responses: { 204: { description: 'Revoked' }, 404: notFound },
      },
      { notedByModule: true },
    ),
    async (context) => {
      await factory.enrolment.revokeToken(context.get('principal').scope, context.req.valid('param').id)
      return context.body(null, 204)
    },
  )

  return app
}

/** In the environment and not as an argument: arguments are seen by everybody on the machine. */
function commandFor(factory: Factory, token: string): string {
  return `MEDLEY_JOIN_TOKEN=${token} medley agent join ${publicUrlOf(factory.config)}`
}

function presentToken(view: JoinTokenView): z.infer<typeof joinToken> {
  return {
    id: view.id,
    note: view.note,
    createdBy: view.createdBy,
    createdAt: view.createdAt.toISOString(),
    expiresAt: view.expiresAt.toISOString(),
    usesLeft: view.usesLeft,
    revokedAt: view.revokedAt?.toISOString() ?? null,
    dedicated: view.dedicated,
    simulated: view.simulated,
  }
}
