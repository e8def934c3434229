import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import { Readable } from 'node:stream'
import { type Context, Hono } from 'hono'

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

// Scripts come from here only, so an injected one does not run; antd writes its styles into the page.
const POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"

/** The built console. Unknown paths without an extension are pages of its router and get its one HTML file. */
export function consoleAssets(directory: string): Hono {
  const app = new Hono()
  app.get('*', async (context, next) => {
    const path = decoded(new URL(context.req.url).pathname)
    if (path === null || /^\/(api|internal|v1)(\/|$)/.test(path)) return next()
    const file = await existing(directory, extname(path) ? path : '/index.html')
    return file ? send(context, file, extname(path) !== '') : next()
  })
  return app
}

/** Null for what is not a name: a lone percent sign, a NUL. */
function decoded(path: string): string | null {
  try {
    const name = decodeURIComponent(path)
    return name.includes('\0') ? null : name
  } catch {
    return null
  }
}

async function existing(directory: string, path: string): Promise<string | null> {
  const file = normalize(join(directory, path))
  if (!file.startsWith(directory + sep)) return null
  const found = await stat(file).catch(() => null)
  return found?.isFile() ? file : null
}

function send(context: Context, file: string, immutable: boolean): Response {
  const headers = {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    // Built files carry their digest in their name.
    'cache-control':
      immutable && file.includes(`${sep}assets${sep}`) ? 'public, max-age=31536000, immutable' : 'no-cache',
    'content-security-policy': POLICY,
  }
  return context.body(Readable.toWeb(createReadStream(file)) as ReadableStream, 200, headers)
}
