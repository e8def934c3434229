import type { OpenAPIHono } from '@hono/zod-openapi'
import { compress } from 'hono/compress'
import { joinRoutes } from '../agents/join.ts'
import { serverErrors } from '../errors.ts'
import type { Factory } from '../factory.ts'
import { LARGEST_BODY, limitBody } from './body.ts'
import { consoleAssets } from './console-assets.ts'
import { documentation } from './documentation.ts'
import { exposition } from './exposition.ts'
import type { AppEnv } from './guard.ts'
import { internalRoutes } from './internal.ts'
import { otherMethods } from './other-methods.ts'
import { problemResponse } from './problems.ts'
import { createRouter } from './router.ts'
import { alertRoutes } from './routes-alerts.ts'
import { auditRoutes } from './routes-audit.ts'
import { capacityRoutes } from './routes-capacity.ts'
import { chipRoutes } from './routes-chips.ts'
import { fleetRoutes } from './routes-fleet.ts'
import { joinTokenRoutes } from './routes-join.ts'
import { liveRoutes } from './routes-live.ts'
import { modelRoutes } from './routes-models.ts'
import { nodeRoutes } from './routes-nodes.ts'
import { playgroundRoutes } from './routes-playground.ts'
import { provingRoutes } from './routes-proving.ts'
import { supplyRoutes } from './routes-supply.ts'
import { systemRoutes } from './routes-system.ts'
import { vendorRoutes } from './routes-vendors.ts'
import { signIn } from './sign-in.ts'

/** The whole HTTP face of the server. */
export function createApp(factory: Factory): OpenAPIHono<AppEnv> {
  const app = createRouter()

  app.use(async (context, next) => {
    const requestId = factory.ids.next('req')
    context.set('requestId', requestId)
    await next()
    // Afterwards: an answer that was not made by the context would come without them.
    const { headers } = context.res
    // The gateway's own number leads to the metered request.
    if (!headers.has('x-request-id')) context.header('x-request-id', requestId)
    context.header('x-content-type-options', 'nosniff')
    context.header('referrer-policy', 'no-referrer')
  })

  app.onError((error, context) => {
    const response = problemResponse(context, error)
    if (response.status >= 500) factory.log.error({ requestId: context.get('requestId'), err: error }, 'request failed')
    return response
  })
  app.notFound((context) => {
    const allowed = otherMethods(app.routes, context.req.method, context.req.path)
    if (allowed.length === 0) return problemResponse(context, serverErrors['route.unknown']())
    const refused = problemResponse(context, serverErrors['route.method']({ allowed: allowed.join(', ') }))
    refused.headers.set('allow', allowed.join(', '))
    return refused
  })

  app.get('/healthz', (context) => context.json({ status: 'ok' }))
  app.get('/readyz', (context) => {
    const ready = factory.status.ready()
    return context.json({ ready }, ready ? 200 : 503)
  })
  app.get('/metrics', exposition(factory))

  app.route('/', joinRoutes({ ...factory, onJoined: () => factory.live.touch('nodes', 'audit') }))
  app.route('/internal', internalRoutes(factory))
  app.on(['GET', 'POST'], '/api/auth/*', limitBody(LARGEST_BODY.control), (context) => signIn(factory, context))
  app.route('/', systemRoutes(factory))
  // Ten thousand cells are megabytes of much the same words.
  app.use('/api/v1/fleet/map', compress({ encoding: 'gzip', threshold: 0 }))
  app.route('/', fleetRoutes(factory))
  app.route('/', nodeRoutes(factory))
  app.route('/', chipRoutes(factory))
  app.route('/', vendorRoutes(factory))
  app.route('/', capacityRoutes(factory))
  app.route('/', joinTokenRoutes(factory))
  app.route('/', alertRoutes(factory))
  app.route('/', auditRoutes(factory))
  app.route('/', provingRoutes(factory))
  app.route('/', modelRoutes(factory))
  app.route('/', supplyRoutes(factory))
  app.route('/', playgroundRoutes(factory))
  app.route('/', liveRoutes(factory))
  app.route('/', documentation(app, factory.config.version))
  app.route('/', consoleAssets(factory.config.consoleDirectory))
  return app
}
