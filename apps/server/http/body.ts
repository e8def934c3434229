import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { serverErrors } from '../errors.ts'

const KIB = 1024

/** The most bytes a body may have, by what it is for. */
export const LARGEST_BODY = {
  /** Sign-in and the changes of the control API: names, ids and dates. */
  control: 64 * KIB,
  /** A conversation, pictures included. */
  playground: 10 * KIB * KIB,
  /** A batch of usage records or a node's whole report. */
  internal: 64 * KIB * KIB,
} as const

/**
 * Stops reading at the limit, whatever length the client names. Stands behind the guard, so that a stranger's body is
 * not read at all.
 *
 * @throws AppError `server.request.too-large`
 */
export function limitBody(maxSize: number): MiddlewareHandler {
  return bodyLimit({
    maxSize,
    onError: () => {
      throw serverErrors['request.too-large']({ largest: `${maxSize / KIB} KiB` })
    },
  })
}

/**
 * Takes JSON only: a form of a foreign page can send text without the browser asking first, but not this.
 *
 * @throws AppError `server.request.not-json`
 */
export const jsonOnly: MiddlewareHandler = async (context, next) => {
  const type = context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type === undefined ? hasBody(context) : type !== 'application/json') throw serverErrors['request.not-json']()
  await next()
}

/** As the headers tell it: a POST without a body is a stream too, and an empty one. */
function hasBody(context: Context): boolean {
  return Number(context.req.header('content-length') ?? 0) > 0 || context.req.header('transfer-encoding') !== undefined
}
