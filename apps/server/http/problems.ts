import { AppError, type FieldError, localeFrom, toProblem } from '@medley/kernel'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ZodError } from 'zod'
import { serverErrors } from '../errors.ts'

/** Every failure of the control API leaves through here, as one RFC 9457 problem in the reader's language. */
export function problemResponse(context: Context, error: unknown): Response {
  const problem = toProblem(normalise(error), localeFrom(context.req.header('accept-language')))
  return context.body(JSON.stringify(problem), problem.status as 400, { 'content-type': 'application/problem+json' })
}

export function invalidRequest(error: ZodError): AppError {
  return serverErrors['request.invalid']({}, { errors: error.issues.flatMap(toFieldErrors), cause: error })
}

function normalise(error: unknown): AppError {
  if (error instanceof AppError) return error
  // Hono's own: a body that is not JSON, say.
  if (error instanceof HTTPException && error.status < 500) {
    return serverErrors['request.invalid']({}, { detail: error.message, cause: error })
  }
  return serverErrors.unexpected({}, { cause: error })
}

function toFieldErrors(issue: ZodError['issues'][number]): FieldError[] {
  const path = issue.path.map(String)
  // One for each unknown member: it is the name that is wrong, not what holds it.
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'unknown' }))
  return [{ path: path.join('.'), message: issue.message }]
}
