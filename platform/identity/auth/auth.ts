import { randomUUID } from 'node:crypto'
import type { IdFactory } from '@medley/kernel'
import type { OpenedStore } from '@medley/store'
import { betterAuth } from 'better-auth'
import { organization } from 'better-auth/plugins/organization'
import { CLIENT_ADDRESS_HEADER } from './headers.ts'
import { LINK_LIFETIME_MS, linkIdentifier, oneTimeLink } from './one-time-link.ts'

export interface AuthOptions {
  readonly store: OpenedStore
  readonly secret: string
  /** Where people reach the console; https makes the cookies Secure. */
  readonly baseUrl: string
  /** Origins besides that of `baseUrl`. */
  readonly trustedOrigins: readonly string[]
  readonly ids: IdFactory
  /** The tenant a new session begins in. */
  readonly firstTenantOf: (userId: string) => Promise<string | null>
  readonly onTenantCreated: (tenantId: string) => Promise<void>
  readonly log?: (message: string, detail: unknown) => void
}

/** better-auth as we use it: people, sessions and tenants (its organisations). Loaded only where sign-in happens. */
export function createAuth(options: AuthOptions) {
  const auth = betterAuth(authOptions(options))
  return {
    handler: (request: Request) => auth.handler(request),
    session: (headers: Headers) => auth.api.getSession({ headers }),
    hashPassword: async (password: string) => (await auth.$context).password.hash(password),
    storeLink: async (token: string, userId: string) => {
      const { internalAdapter } = await auth.$context
      const expiresAt = new Date(Date.now() + LINK_LIFETIME_MS)
      await internalAdapter.createVerificationValue({ identifier: linkIdentifier(token), value: userId, expiresAt })
      return expiresAt
    },
  }
}

/** Exported for the test that compares our migration with what better-auth expects. */
export function authOptions(options: AuthOptions) {
  const { store, secret, baseUrl, trustedOrigins, ids, firstTenantOf, onTenantCreated, log } = options
  return {
    appName: 'Medley',
    secret,
    baseURL: baseUrl,
    basePath: '/api/auth',
    database: { db: store.unscoped(), type: 'postgres', transaction: true },
    // The page and its API share an origin, under whatever name or address this machine was reached.
    trustedOrigins: (request?: Request) => [
      ...trustedOrigins,
      ...(request === undefined ? [] : [new URL(request.url).origin]),
    ],
    telemetry: { enabled: false },
    emailAndPassword: { enabled: true, disableSignUp: true, minPasswordLength: 10, maxPasswordLength: 200 },
    user: {
      modelName: 'auth_users',
      additionalFields: { role: { type: 'string', required: true, defaultValue: 'developer', input: false } },
    },
    session: { modelName: 'auth_sessions', expiresIn: 30 * 24 * 3600, updateAge: 24 * 3600 },
    account: { modelName: 'auth_accounts' },
    verification: { modelName: 'auth_verifications' },
    advanced: {
      cookiePrefix: 'medley',
      useSecureCookies: baseUrl.startsWith('https:'),
      defaultCookieAttributes: { httpOnly: true, sameSite: 'lax' },
      // Said although it is the default: under a test runner the library would switch both off.
      disableOriginCheck: false,
      disableCSRFCheck: false,
      ipAddress: { ipAddressHeaders: [CLIENT_ADDRESS_HEADER] },
      database: { generateId: ({ model }: { model: string }) => newId(ids, model) },
    },
    databaseHooks: {
      session: {
        create: {
          before: async (session: { userId: string }) => ({
            data: { ...session, activeOrganizationId: await firstTenantOf(session.userId) },
          }),
        },
      },
    },
    plugins: [
      organization({
        allowUserToCreateOrganization: (user) => user.role === 'operator',
        organizationHooks: { afterCreateOrganization: ({ organization }) => onTenantCreated(organization.id) },
        schema: {
          organization: { modelName: 'auth_organizations' },
          member: { modelName: 'auth_members' },
          invitation: { modelName: 'auth_invitations' },
        },
      }),
      oneTimeLink(),
    ],
    // Without a handler of ours refusals go to the console past the logger.
    onAPIError: { onError: (error: unknown) => log?.('a request to sign-in was refused', error) },
    logger: {
      level: 'warn',
      log: (level: string, message: string, ...detail: unknown[]) => log?.(`better-auth ${level}: ${message}`, detail),
    },
  } satisfies Parameters<typeof betterAuth>[0]
}

/** The organisation's id is the tenant's. What never leaves better-auth needs no kind in its id. */
function newId(ids: IdFactory, model: string): string {
  if (/^(auth_)?organizations?$/.test(model)) return ids.next('tenant')
  if (/^(auth_)?users?$/.test(model)) return ids.next('user')
  if (/^(auth_)?sessions?$/.test(model)) return ids.next('session')
  return randomUUID()
}
