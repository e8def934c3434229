import { createHash } from 'node:crypto'
import { APIError, createAuthEndpoint } from 'better-auth/api'
import { setSessionCookie } from 'better-auth/cookies'
import { z } from 'zod'

/** How long a link waits to be opened. */
export const LINK_LIFETIME_MS = 15 * 60 * 1000

/** The store keeps only this: whoever reads the table cannot sign in with it. */
export function linkIdentifier(token: string): string {
  return `one-time-link:${createHash('sha256').update(token).digest('hex')}`
}

/**
 * Signs in whoever holds the token of a link, once. The token travels in the link's fragment, which browsers do not
 * send, and from there in the body of this request: it is in no URL and no log of a server.
 */
export function oneTimeLink() {
  return {
    id: 'one-time-link',
    endpoints: {
      verifyOneTimeLink: createAuthEndpoint(
        '/one-time-link/verify',
        { method: 'POST', body: z.object({ token: z.string().min(1).max(200) }) },
        async (ctx) => {
          const { internalAdapter } = ctx.context
          // Deletes the row: of two requests with the same token one finds it.
          const found = await internalAdapter.consumeVerificationValue(linkIdentifier(ctx.body.token))
          const isLive = found !== null && found.expiresAt.getTime() > Date.now()
          const user = isLive ? await internalAdapter.findUserById(found.value) : null
          if (user === null) throw new APIError('UNAUTHORIZED', { code: 'LINK_SPENT', message: 'Link used or expired' })
          const session = await internalAdapter.createSession(user.id)
          await setSessionCookie(ctx, { session, user })
          return ctx.json({ user: { id: user.id, name: user.name, email: user.email } })
        },
      ),
    },
  }
}
