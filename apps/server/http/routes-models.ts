import { deployment, model, oneOf, pageQuery, revision } from '../api/schemas.ts'
import type { Factory } from '../factory.ts'
import { presentDeployment, presentModel, presentRevision } from '../present.ts'
import { declare, declareChange, json, listOf, notFound, toPage } from './declare.ts'
import { createRouter } from './router.ts'

export function modelRoutes(factory: Factory) {
  const app = createRouter()

  app.openapi(
    declare(factory, 'models:read', {
      method: 'get',
      path: '/api/v1/models',
      tags: ['models'],
      summary: 'Models on this factory',
      request: { query: pageQuery },
      responses: { 200: listOf(model, 'Models') },
    }),
    async (context) => {
      const { cursor, limit } = context.req.valid('query')
      const models = await factory.registry.list(context.get('principal').scope)
      // Few enough to be sorted here; by id as every other list.
      const rows = models
        .toSorted((left, right) => (left.id < right.id ? -1 : 1))
        .filter(({ id }) => id > (cursor ?? ''))
      const shown = toPage(rows, limit, (item) => presentModel(item, factory.registry.entry(item.name)))
      return context.json(shown, 200)
    },
  )

  app.openapi(
    declare(factory, 'deployments:read', {
      method: 'get',
      path: '/api/v1/deployments',
      tags: ['models'],
      summary: 'Deployments with their replicas',
      request: { query: pageQuery },
      responses: { 200: listOf(deployment, 'Deployments') },
    }),
    async (context) => {
      const { cursor, limit } = context.req.valid('query')
      const rows = await factory.serving.list(context.get('principal').scope, {
        after: cursor ?? null,
        limit: limit + 1,
      })
      return context.json(toPage(rows, limit, presentDeployment), 200)
    },
  )

  app.openapi(
    declare(factory, 'deployments:read', {
      method: 'get',
      path: '/api/v1/deployments/{id}',
      tags: ['models'],
      summary: 'One deployment',
      request: oneOf,
      responses: { 200: json(deployment, 'The deployment'), 404: notFound },
    }),
    async (context) => {
      const found = await factory.serving.get(context.get('principal').scope, context.req.valid('param').id)
      return context.json(presentDeployment(found), 200)
    },
  )

  app.openapi(
    declare(factory, 'deployments:read', {
      method: 'get',
      path: '/api/v1/revisions/{id}',
      tags: ['models'],
      summary: 'What a deployment was when it gave an answer; earlier revisions too',
      request: oneOf,
      responses: { 200: json(revision, 'The revision'), 404: notFound },
    }),
    async (context) => {
      const found = await factory.serving.revision(context.get('principal').scope, context.req.valid('param').id)
      return context.json(presentRevision(found), 200)
    },
  )

  const changes = [
    { verb: 'stop', summary: 'Stop a deployment; its revisions stay' },
    { verb: 'start', summary: 'Start a stopped deployment with its last revision' },
  ] as const
  for (const { verb, summary } of changes) {
    app.openapi(
      declareChange(factory, 'deployments:write', `deployment.${verb}`, {
        method: 'post',
        path: `/api/v1/deployments/{id}/${verb}`,
        tags: ['models'],
        summary,
        request: oneOf,
        responses: { 200: json(deployment, 'The deployment on its way there'), 404: notFound },
      }),
      async (context) => {
        const { scope } = context.get('principal')
        const { id } = context.req.valid('param')
        const before = await factory.serving.get(scope, id)
        if (verb === 'start') await factory.refuseSimulated(before.revision.spec.chipUuids)
        const changed = await factory.serving[verb](scope, id)
        factory.live.touch('deployments', 'status')
        context.set('change', { before: { state: before.state }, after: { state: changed.state } })
        return context.json(presentDeployment(changed), 200)
      },
    )
  }

  return app
}
