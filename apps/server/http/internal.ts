import { timingSafeEqual } from 'node:crypto'
import { joinRequest } from '@medley/enrolment/protocol'
import { Hono } from 'hono'
import { z } from 'zod'
import { serverErrors } from '../errors.ts'
import type { Factory } from '../factory.ts'
import { LARGEST_BODY, limitBody } from './body.ts'
import { invalidRequest } from './problems.ts'

const usageBatch = z.object({ records: z.array(z.json()).max(10_000) })
const snapshotQuery = z.object({
  after: z.coerce.number().int().default(-1),
  waitMs: z.coerce.number().int().min(0).max(60_000).default(0),
})

/** What the factory's own processes call: the agent gets its key, the gateway fetches its snapshot and hands in usage. */
export function internalRoutes(factory: Factory): Hono {
  const app = new Hono()

  app.use(async (context, next) => {
    const given = Buffer.from(context.req.header('authorization') ?? '')
    const wanted = Buffer.from(`Bearer ${factory.internalToken}`)
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
      const error = serverErrors['request.unauthenticated']()
      await factory.denials.note(context, null, error)
      throw error
    }
    await next()
  })
  // After the token is known: only this factory's own processes may send that much.
  app.use(limitBody(LARGEST_BODY.internal))

  app.post('/agents/join', async (context) => {
    const request = joinRequest.safeParse(await context.req.json())
    if (!request.success) throw invalidRequest(request.error)
    return context.json(await factory.joinOwn(request.data), 201)
  })

  app.get('/gateway/snapshot', async (context) => {
    const query = snapshotQuery.safeParse(context.req.query())
    if (!query.success) throw invalidRequest(query.error)
    const snapshot = await factory.snapshots.after(query.data.after, query.data.waitMs, context.req.raw.signal)
    return snapshot ? context.json(snapshot) : context.body(null, 204)
  })

  app.post('/usage', async (context) => {
    const batch = usageBatch.safeParse(await context.req.json())
    if (!batch.success) throw invalidRequest(batch.error)
    const { simulated, ...outcome } = await factory.supply.ingest(batch.data.records)
    for (const { code, requestId, tenantId, keyId, chipUuid } of simulated) {
      const actor = { kind: 'key', id: keyId } as const
      const refused = { action: 'usage.record', subject: requestId, outcome: 'denied', code, from: null } as const
      await factory.audit.record({ tenantId, actor, ...refused, detail: { chipUuid } })
    }
    factory.live.touch('usage')
    return context.json({ ...outcome, simulated: simulated.length })
  })

  return app
}
