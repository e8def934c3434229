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

/** Answers `/api/auth/*` by better-auth, whose refusals leave in the same form as all others. */
export async function signIn(factory: Factory, context: Context<AppEnv>): Promise<Response> {
  const answer = await factory.identity.handler(context.req.raw, peerAddress(context))
  if (answer.status < 400) return answer
  const problem = problemResponse(context, await errorOf(answer))
  for (const name of ['retry-after', 'x-retry-after']) {
    const value = answer.headers.get(name)
    if (value !== null) problem.headers.set('retry-after', value)
  }
  // A refusal may take a cookie back.
  for (const cookie of answer.headers.getSetCookie()) problem.headers.append('set-cookie', cookie)
  return problem
}

async function errorOf(answer: Response): Promise<AppError> {
  const said = refusal.safeParse(await answer.json().catch(() => ({}))).data ?? {}
  const fallback = answer.status >= 500 ? 'unexpected' : 'request.invalid'
  const key = BY_CODE.get(said.code) ?? BY_STATUS.get(answer.status) ?? fallback
  return serverErrors[key]({}, said.message === undefined ? {} : { detail: said.message })
}
