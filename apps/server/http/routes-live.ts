import { z } from '@hono/zod-openapi'
import { streamSSE } from 'hono/streaming'
import type { Factory } from '../factory.ts'
import type { Topic } from '../live.ts'
import { declareStream } from './declare.ts'
import { createRouter } from './router.ts'

const KEEP_ALIVE_MS = 20_000
const GATHER_MS = 200

/** Live updates: each message names a topic whose pages should fetch again. */
export function liveRoutes(factory: Factory) {
  const app = createRouter()
  const guarded = declareStream(app, factory, 'status:read', {
    method: 'get',
    path: '/api/v1/events',
    tags: ['system'],
    summary: 'Live updates: what to fetch again',
    responses: {
      200: { content: { 'text/event-stream': { schema: z.string() } }, description: '`{"topic": …}` per message' },
    },
  })
  app.get('/api/v1/events', guarded, (context) =>
    streamSSE(context, async (stream) => {
      const closed = new AbortController()
      stream.onAbort(() => closed.abort())
      const pending = new Set<Topic>()
      const flush = () => {
        for (const topic of pending)
          void stream.writeSSE({ data: JSON.stringify({ topic }) }).catch(() => closed.abort())
        pending.clear()
      }
      // A thousand nodes that connect at once are one thing to fetch again, not a thousand.
      const unsubscribe = factory.live.subscribe((topic) => {
        if (pending.size === 0) setTimeout(flush, GATHER_MS).unref()
        pending.add(topic)
      })
      try {
        while (!closed.signal.aborted) {
          await stream.write(': alive\n\n')
          await Promise.race([stream.sleep(KEEP_ALIVE_MS), once(closed.signal)])
        }
      } finally {
        unsubscribe()
      }
    }),
  )
  return app
}

function once(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
