import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'

/** Whose attempts a rate limit counts; unknown where no socket is behind the request, as in tests. */
export function peerAddress(context: Context): string | undefined {
  const { incoming } = (context.env ?? {}) as Partial<HttpBindings>
  return incoming?.socket?.remoteAddress
}
