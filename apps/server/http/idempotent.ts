import type { MiddlewareHandler } from 'hono'
import { serverErrors } from '../errors.ts'
import type { Factory } from '../factory.ts'
import type { Claim } from '../idempotency.ts'
import type { AppEnv } from './guard.ts'

const HEADER = 'idempotency-key'
const LONGEST_KEY = 255

/**
 * A mutation with an `Idempotency-Key` happens once: repeated, it gives the first answer. An answer that holds a
 * secret is not kept, so its repetition says what was made instead of showing the secret again.
 *
 * @throws AppError `server.idempotency.*`
 */
export function idempotent(factory: Factory, answerHoldsSecret: boolean): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    const key = context.req.header(HEADER)
    if (key === undefined) return next()
    if (key === '' || key.length > LONGEST_KEY) throw serverErrors['idempotency.key-invalid']({ longest: LONGEST_KEY })
    const { scope } = context.get('principal')
    const request = `${context.req.method} ${context.req.path} ${await context.req.text()}`
    const claim = await factory.idempotency.claim(scope, key, request)
    if (claim.kind !== 'first') return replay(claim)

    try {
      await next()
    } finally {
      const failed = context.error !== undefined || context.res.status >= 500
      if (failed) await factory.idempotency.release(scope, key)
      else {
        const body = answerHoldsSecret ? null : await context.res.clone().text()
        await factory.idempotency.settle(scope, key, { status: context.res.status, body })
      }
    }
  }
}

function replay(claim: Exclude<Claim, { kind: 'first' }>): Response {
  if (claim.kind === 'running') throw serverErrors['idempotency.running']()
  if (claim.kind === 'other-request') throw serverErrors['idempotency.other-request']()
  if (claim.body === null) throw serverErrors['idempotency.secret-shown']()
  const headers = { 'idempotency-replayed': 'true' }
  // An answer without content has no body at all: not even an empty one may be given to it.
  if (claim.body === '') return new Response(null, { status: claim.status, headers })
  return new Response(claim.body, {
    status: claim.status,
    headers: { ...headers, 'content-type': 'application/json' },
  })
}
