import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { Hono } from 'hono'
import type { AppEnv } from './guard.ts'

// A map: what a client names must not find what every object has.
const FILES: ReadonlyMap<string, string> = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
])

const PAGE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Medley API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/api/docs/swagger-ui.css"></head>
<body><div id="api"></div><script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script></body></html>`

const START = "SwaggerUIBundle({ url: '/api/openapi.json', dom_id: '#api', deepLinking: true })"

/** The OpenAPI 3.1 file and a page to read it, all served from here: a factory may have no way to the internet. */
export function documentation(api: OpenAPIHono<AppEnv>, version: string): Hono {
  const app = new Hono()
  const assets = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')))
  app.get('/api/openapi.json', (context) =>
    context.json(
      api.getOpenAPI31Document({
        openapi: '3.1.0',
        info: {
          title: 'Medley',
          version,
          description: 'Control API. The OpenAI-compatible data plane has a port of its own.',
        },
      }),
    ),
  )
  app.get('/api/docs', (context) => context.html(PAGE))
  app.get('/api/docs/start.js', (context) => context.body(START, 200, { 'content-type': 'text/javascript' }))
  app.get('/api/docs/:file', async (context, next) => {
    const type = FILES.get(context.req.param('file'))
    if (!type) return next()
    return context.body(await readFile(join(assets, context.req.param('file'))), 200, { 'content-type': type })
  })
  return app
}
