import { request } from 'node:http'
import { Readable } from 'node:stream'
import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { serverErrors } from '../errors.ts'
import type { Factory } from '../factory.ts'
import { LARGEST_BODY } from './body.ts'
import { declareStream } from './declare.ts'
import type { AppEnv } from './guard.ts'
import { createRouter } from './router.ts'

const PASSED_ON = ['content-type', 'x-request-id', 'x-medley-revision', 'retry-after'] as const

/**
 * The console's way to the gateway: the browser holds a session and never a key, so the server lends the tenant's
 * own internal key. Metered like any other request.
 */
export function playgroundRoutes(factory: Factory) {
  const app = createRouter()
  const guarded = declareStream(
    app,
    factory,
    'playground:use',
    {
      method: 'post',
      path: '/api/v1/playground/chat',
      tags: ['supply'],
      summary: 'A chat completion under the tenant’s own key; body and answer are those of the OpenAI interface',
      request: { body: { content: { 'application/json': { schema: z.looseObject({}) } }, required: true } },
      responses: {
        200: {
          content: { 'application/json': { schema: z.looseObject({}) }, 'text/event-stream': { schema: z.string() } },
          description: 'As the gateway answers /v1/chat/completions',
        },
      },
    },
    LARGEST_BODY.playground,
  )
  app.post('/api/v1/playground/chat', guarded, async (context) => {
    const body = Buffer.from(await context.req.arrayBuffer())
    const key = factory.playgroundKey(context.get('principal').scope)
    return forward(context, new URL('/v1/chat/completions', factory.config.gatewayUrl), key, body)
  })
  return app
}

function forward(context: Context<AppEnv>, url: URL, key: string, body: Buffer): Promise<Response> {
  return new Promise((resolve, reject) => {
    const upstream = request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': body.length, authorization: `Bearer ${key}` },
    })
    // A closed page must stop the engine, not only this copy of the stream.
    context.req.raw.signal.addEventListener('abort', () => upstream.destroy())
    upstream.on('error', (error) => reject(serverErrors['gateway.unreachable']({}, { cause: error })))
    upstream.on('response', (answer) => {
      const headers = new Headers({ 'cache-control': 'no-store' })
      for (const name of PASSED_ON) {
        const value = answer.headers[name]
        if (typeof value === 'string') headers.set(name, value)
      }
      resolve(new Response(Readable.toWeb(answer) as ReadableStream, { status: answer.statusCode ?? 502, headers }))
    })
    upstream.end(body)
  })
}
