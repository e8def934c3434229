import type { Enrolment } from '@medley/enrolment'
import { JOIN_PATH, joinRequest } from '@medley/enrolment/protocol'
import { AppError, type Clock } from '@medley/kernel'
import { Hono } from 'hono'
import { serverErrors } from '../errors.ts'
import { jsonOnly, LARGEST_BODY, limitBody } from '../http/body.ts'
import { peerAddress } from '../http/peer.ts'
import { invalidRequest } from '../http/problems.ts'
import { BUNDLE_PATH, type Upgrades } from './upgrades.ts'

/** Refusals an address may collect at once, and how fast they are forgiven. */
const MOST_REFUSALS = 20
const FORGIVEN_EVERY_MS = 3_000
/** Addresses remembered; with more, the one that asked longest ago is forgotten. */
const MOST_ADDRESSES = 10_000

/**
 * What agents ask outside their connection: the bundle of a newer agent, and where a node hands in its token once. Only refusals count against an address: a hall of racks behind one address
 * may join at once, somebody who tries tokens may not, nor fill the audit with it.
 */
export function joinRoutes(ports: {
  readonly enrolment: Pick<Enrolment, 'join'>
  readonly upgrades: Pick<Upgrades, 'bundle'>
  readonly clock: Clock
  readonly onJoined: () => void
}): Hono {
  const app = new Hono()
  const limit = createRefusalLimit(ports.clock)

  app.post(JOIN_PATH, jsonOnly, limitBody(LARGEST_BODY.control), async (context) => {
    const from = peerAddress(context) ?? null
    if (limit.spent(from ?? '')) throw serverErrors['join.too-many']()
    const request = joinRequest.safeParse(await context.req.json().catch(() => null))
    if (!request.success) throw invalidRequest(request.error)
    const token = /^Bearer (\S+)$/.exec(context.req.header('authorization') ?? '')?.[1] ?? ''
    try {
      const answer = await ports.enrolment.join(token, request.data, from)
      ports.onJoined()
      return context.json(answer, 201)
    } catch (error) {
      if (error instanceof AppError && error.definition.status < 500) limit.count(from ?? '')
      throw error
    }
  })

  // No secret is in it, and no agent runs it without the instance's signature.
  app.get(`${BUNDLE_PATH}/:sha256`, async (context) => {
    const bundle = await ports.upgrades.bundle(context.req.param('sha256'))
    if (bundle === null) throw serverErrors['route.unknown']()
    return context.body(bundle, 200, { 'content-type': 'application/gzip' })
  })
  return app
}

/** A leaky bucket per address. */
function createRefusalLimit(clock: Clock): { spent(address: string): boolean; count(address: string): void } {
  const buckets = new Map<string, { refusals: number; atMs: number }>()
  const level = (address: string): number => {
    const bucket = buckets.get(address)
    if (!bucket) return 0
    return Math.max(0, bucket.refusals - (clock.now() - bucket.atMs) / FORGIVEN_EVERY_MS)
  }
  return {
    spent: (address) => level(address) > MOST_REFUSALS - 1,
    count(address) {
      const refusals = level(address) + 1
      // Last in the map's order: the first is who was refused longest ago.
      buckets.delete(address)
      buckets.set(address, { refusals, atMs: clock.now() })
      const [oldest] = buckets.keys()
      if (buckets.size > MOST_ADDRESSES && oldest !== undefined) buckets.delete(oldest)
    },
  }
}
