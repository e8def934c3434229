import { z } from '@hono/zod-openapi'
import type { Clock } from '@medley/kernel'

const HOUR_MS = 3_600_000

export const periodQuery = z.strictObject({ from: z.iso.datetime().optional(), to: z.iso.datetime().optional() })

/** The period that was asked for: the last hour before its end, and until now, where left out. */
export function periodOf(
  clock: Clock,
  asked: { readonly from?: string | undefined; readonly to?: string | undefined },
  lengthMs = HOUR_MS,
): { readonly fromMs: number; readonly toMs: number } {
  const toMs = asked.to === undefined ? clock.now() : Date.parse(asked.to)
  return { fromMs: asked.from === undefined ? toMs - lengthMs : Date.parse(asked.from), toMs }
}

/** For filters, where a missing end means no end. */
export function between(asked: { readonly from?: string | undefined; readonly to?: string | undefined }) {
  return {
    ...(asked.from === undefined ? {} : { from: new Date(asked.from) }),
    ...(asked.to === undefined ? {} : { to: new Date(asked.to) }),
  }
}
