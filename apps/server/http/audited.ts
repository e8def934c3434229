import { AppError } from '@medley/kernel'
import type { Context, MiddlewareHandler } from 'hono'
import type { Factory } from '../factory.ts'
import type { AppEnv } from './guard.ts'
import { peerAddress } from './peer.ts'

/** What a handler tells of its change; never a secret. */
export interface Change {
  /** Id of what was changed, where the address does not name it. */
  readonly subject?: string
  readonly before?: unknown
  readonly after?: unknown
}

/** Wrong input is the client's business: nothing was asked of the factory yet. */
const NOT_ASKED: ReadonlySet<string> = new Set(['server.request.invalid', 'server.idempotency.key-invalid'])

/**
 * Notes every change that was asked for, with how it ended. Stands behind the idempotency: a repeated answer is no
 * second change.
 */
export function audited(factory: Factory, action: string, notedByModule: boolean): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    await next()
    const code = codeOf(context)
    if (code !== null && NOT_ASKED.has(code)) return
    // What the server itself refused never reached the module.
    if (notedByModule && !code?.startsWith('server.')) return factory.live.touch('audit')
    const { subject, before, after } = context.get('change') ?? {}
    const { scope } = context.get('principal')
    const entry = {
      tenantId: scope.tenantId,
      actor: scope.actor,
      action,
      subject: subject ?? context.req.param('id') ?? null,
      outcome: code === null ? 'done' : context.res.status === 403 ? 'denied' : 'failed',
      code,
      from: peerAddress(context) ?? null,
      detail: { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) },
    } as const
    // The change has happened: to answer with a failure now would be the greater lie.
    await factory.audit.record(entry).catch((error: unknown) => {
      factory.log.error({ err: error, action, subject: entry.subject }, 'a change is missing in the audit')
    })
  }
}

function codeOf(context: Context): string | null {
  if (context.error instanceof AppError) return context.error.code
  if (context.error !== undefined || context.res.status >= 400) return 'server.unexpected'
  return null
}
