import type { HttpBindings } from '@hono/node-server'
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { serverErrors } from '../errors.ts'
import type { Factory } from '../factory.ts'
import { LARGEST_BODY, limitBody } from './body.ts'
import { consoleAssets } from './console-assets.ts'
import { documentation } from './documentation.ts'
import type { AppEnv } from './guard.ts'
import { internalRoutes } from './internal.ts'
import { problemResponse } from './problems.ts'
import { createRouter } from './router.ts'
import { computeRoutes } from './routes-compute.ts'
import { liveRoutes } from './routes-live.ts'
import { modelRoutes } from './routes-models.ts'
import { playgroundRoutes } from './routes-playground.ts'
import { supplyRoutes } from './routes-supply.ts'
import { systemRoutes } from './routes-system.ts'

/** Whose attempts a rate limit counts; unknown where no socket is behind the request, as in tests. */
function peerAddress(context: Context): string | undefined {
  const { incoming } = (context.env ?? {}) as Partial<HttpBindings>
  return incoming?.socket.remoteAddress
}

/** The whole HTTP face of the server. */
export function createApp(factory: Factory): OpenAPIHono<AppEnv> {
  const app = createRouter()

  app.use(async (context, next) => {
    const requestId = factory.ids.next('req')
    context.set('requestId', requestId)
    context.header('x-request-id', requestId)
    context.header('x-content-type-options', 'nosniff')
    context.header('referrer-policy', 'no-referrer')
    await next()
  })

  app.onError((error, context) => {
    const response = problemResponse(context, error)
    if (response.status >= 500) factory.log.error({ requestId: context.get('requestId'), err: error }, 'request failed')
    return response
  })
  app.notFound((context) => problemResponse(context, serverErrors['route.unknown']()))

  app.get('/healthz', (context) => context.json({ status: 'ok' }))
  app.get('/readyz', (context) => {
    const ready = factory.status.ready()
    return context.json({ ready }, ready ? 200 : 503)
  })
  app.get('/metrics', async (context) =>
    context.body(await factory.metrics.metrics(), 200, { 'content-type': factory.metrics.contentType }),
  )

  app.route('/internal', internalRoutes(factory))
  app.on(['GET', 'POST'], '/api/auth/*', limitBody(LARGEST_BODY.control), (context) =>
    factory.identity.handler(context.req.raw, peerAddress(context)),
  )
  app.route('/', systemRoutes(factory))
  app.route('/', computeRoutes(factory))
  app.route('/', modelRoutes(factory))
  app.route('/', supplyRoutes(factory))
  app.route('/', playgroundRoutes(factory))
  app.route('/', liveRoutes(factory))
  app.route('/', documentation(app, factory.config.version))
  app.route('/', consoleAssets(factory.config.consoleDirectory))
  return app
}
