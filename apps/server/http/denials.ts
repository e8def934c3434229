import type { AppError } from '@medley/kernel'
import type { Context } from 'hono'
import type { Factory } from '../factory.ts'
import type { Principal } from './guard.ts'
import { peerAddress } from './peer.ts'

/** How long repetitions of the same denial are counted instead of noted one by one, ms. */
const QUIET_MS = 60_000
/** Different denials remembered; with more, the oldest is forgotten and noted anew. */
const MOST_REMEMBERED = 5_000

export interface Denials {
  /** Notes who was denied what; a stranger who asks a thousand times fills one line a minute, not a thousand. */
  note(context: Context, principal: Principal | null, error: AppError): Promise<void>
}

export function createDenials(factory: Pick<Factory, 'audit' | 'clock' | 'log'>): Denials {
  const noted = new Map<string, { atMs: number; repeated: number }>()
  return {
    async note(context, principal, error) {
      const { method, path } = context.req
      const from = peerAddress(context) ?? null
      const who = principal?.scope.actor ?? ({ kind: 'anonymous', id: from ?? 'unknown' } as const)
      const key = [who.kind, who.id, from, error.code, ...(principal ? [method, path] : [])].join(' ')
      const now = factory.clock.now()
      const before = noted.get(key)
      if (before && now - before.atMs < QUIET_MS) {
        before.repeated += 1
        return
      }
      noted.delete(key)
      noted.set(key, { atMs: now, repeated: 0 })
      const [oldest] = noted.keys()
      if (noted.size > MOST_REMEMBERED && oldest !== undefined) noted.delete(oldest)
      const detail = { method, path, params: error.params, repeatedBefore: before?.repeated ?? 0 }
      await factory.audit
        .record({
          tenantId: principal?.scope.tenantId ?? null,
          actor: who,
          action: 'access.deny',
          subject: null,
          outcome: 'denied',
          code: error.code,
          from,
          detail,
        })
        .catch((failure: unknown) => factory.log.error({ err: failure }, 'a denial is missing in the audit'))
    },
  }
}
