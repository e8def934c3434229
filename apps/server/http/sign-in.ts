import type { AppError } from '@medley/kernel'
import type { Context } from 'hono'
import { z } from 'zod'
import { serverErrors } from '../errors.ts'
import type { Factory } from '../factory.ts'
import type { AppEnv } from './guard.ts'
import { peerAddress } from './peer.ts'
import { problemResponse } from './problems.ts'

type ErrorKey = Exclude<keyof typeof serverErrors, '$definitions'>

const refusal = z.object({ code: z.string().optional(), message: z.string().optional() })

const BY_CODE = new Map<string | undefined, ErrorKey>([
  ['LINK_SPENT', 'sign-in.link-spent'],
  ['INVALID_EMAIL_OR_PASSWORD', 'sign-in.refused'],
  ['INVALID_ORIGIN', 'request.foreign-origin'],
  ['MISSING_OR_NULL_ORIGIN', 'request.foreign-origin'],
  ['CROSS_SITE_NAVIGATION_LOGIN_BLOCKED', 'request.foreign-origin'],
])
const BY_STATUS = new Map<number, ErrorKey>([
  [401, 'request.unauthenticated'],
  [403, 'sign-in.not-allowed'],
  [404, 'route.unknown'],
  [415, 'request.not-json'],
  [429, 'sign-in.too-many'],
])

const DENIED: ReadonlySet<number> = new Set([401, 403, 429])

/** Answers `/api/auth/*` by better-auth, whose refusals leave in the same form as all others. */
export async function signIn(factory: Factory, context: Context<AppEnv>): Promise<Response> {
  const answer = await factory.identity.handler(context.req.raw, peerAddress(context))
  if (answer.status < 400) {
    if (context.req.method === 'POST') await told(factory, context)
    return answer
  }
  const error = await errorOf(answer)
  if (DENIED.has(answer.status)) await factory.denials.note(context, null, error)
  const problem = problemResponse(context, error)
  for (const name of ['retry-after', 'x-retry-after']) {
    const value = answer.headers.get(name)
    if (value !== null) problem.headers.set('retry-after', value)
  }
  // A refusal may take a cookie back.
  for (const cookie of answer.headers.getSetCookie()) problem.headers.append('set-cookie', cookie)
  return problem
}

/** Notes a sign-in, a sign-out, a new tenant: who, from where and which, and nothing of what was sent. */
async function told(factory: Factory, context: Context<AppEnv>): Promise<void> {
  const principal = await factory.principalOf(context.req.raw.headers)
  const from = peerAddress(context) ?? null
  await factory.audit
    .record({
      tenantId: principal?.scope.tenantId ?? null,
      actor: principal?.scope.actor ?? { kind: 'anonymous', id: from ?? 'unknown' },
      action: `auth.${context.req.path.replace('/api/auth/', '').replaceAll('/', '-')}`,
      subject: null,
      outcome: 'done',
      code: null,
      from,
      detail: {},
    })
    .catch((error: unknown) => factory.log.error({ err: error }, 'a sign-in is missing in the audit'))
}

async function errorOf(answer: Response): Promise<AppError> {
  const said = refusal.safeParse(await answer.json().catch(() => ({}))).data ?? {}
  const fallback = answer.status >= 500 ? 'unexpected' : 'request.invalid'
  const key = BY_CODE.get(said.code) ?? BY_STATUS.get(answer.status) ?? fallback
  return serverErrors[key]({}, said.message === undefined ? {} : { detail: said.message })
}
