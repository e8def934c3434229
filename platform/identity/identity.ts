import { randomBytes as systemRandomBytes, timingSafeEqual } from 'node:crypto'
import { type Clock, createIdFactory, type Id, type IdFactory, type RandomBytes } from '@medley/kernel'
import type { OpenedStore } from '@medley/store'
import { CLIENT_ADDRESS_HEADER } from './auth/headers.ts'
import { identityErrors } from './errors.ts'
import type { Instance } from './instance/instance.ts'
import { type ApiKeys, createApiKeys } from './keys/api-keys.ts'
import { createPeople, type Home, type NewPerson } from './people.ts'
import { allows, isRole, type Permission, permissionsOf, type Role } from './permissions.ts'

/** Who asks, from a session cookie or the operator's local token. */
export interface Session {
  readonly userId: Id<'user'>
  readonly tenantId: Id<'tenant'>
  readonly projectId: Id<'project'> | null
  readonly role: Role
  readonly name: string
  readonly email: string | null
}

export interface OneTimeLink {
  /** Goes into the fragment of the printed link and nowhere else. */
  readonly token: string
  readonly expiresAt: Date
}

export interface Identity {
  /** Answers `/api/auth/*`. `clientAddress` is the peer's, for rate limits; a header of that name is not believed. */
  handler(request: Request, clientAddress?: string): Promise<Response>
  /**
   * @returns null without a live session, or when its person is no longer a member of its tenant.
   * @throws store.unavailable while the database is away.
   */
  sessionOf(headers: Headers): Promise<Session | null>
  /** The local operator by `Authorization: Bearer <operatorToken>`; null for anything else. */
  operatorOf(headers: Headers): Promise<Session | null>
  isOperatorToken(token: string): boolean
  allows(role: string, permission: Permission): boolean
  permissionsOf(role: string): readonly Permission[]
  readonly keys: ApiKeys
  readonly oneTimeLinks: {
    /**
     * Valid once, for 15 minutes.
     *
     * @throws identity.user.not_found
     */
    create(userId: string): Promise<OneTimeLink>
  }
  readonly people: {
    /** @throws identity.user.exists */
    add(person: Omit<NewPerson, 'passwordHash'> & { readonly password: string | null }): Promise<Id<'user'>>
  }
  /** All projects of all tenants, oldest first. */
  projects(): Promise<readonly { readonly tenantId: string; readonly projectId: string }[]>
  tenantName(tenantId: string): Promise<{ en: string; 'zh-CN': string }>
  bootstrap(): Promise<Home & { readonly created: boolean }>
}

export interface IdentityOptions {
  readonly store: OpenedStore
  readonly instance: Instance
  /** Where people reach the console, such as `http://127.0.0.1:7070`; https makes cookies Secure. */
  readonly baseUrl: string
  /** Further origins of the console, such as the loopback address behind a proxy. */
  readonly trustedOrigins?: readonly string[]
  /** After a tenant was made, with its first project. */
  readonly onTenantCreated?: () => void
  readonly clock?: Clock
  readonly randomBytes?: RandomBytes
  readonly ids?: IdFactory
  readonly log?: (message: string, detail: unknown) => void
}

/** Call after `migrate` with `identityMigrations`. */
export async function createIdentity(options: IdentityOptions): Promise<Identity> {
  const { store, instance, baseUrl, log } = options
  const { clock = { now: Date.now }, randomBytes = systemRandomBytes } = options
  const ids = options.ids ?? createIdFactory(clock, randomBytes)
  const people = createPeople({ store, ids, clock })
  // Half of a small process's memory: only who answers sign-ins loads it.
  const { createAuth } = await import('./auth/auth.ts')
  const auth = createAuth({
    store,
    secret: instance.secrets.authSecret,
    baseUrl,
    ids,
    firstTenantOf: people.firstTenantOf,
    trustedOrigins: options.trustedOrigins ?? [],
    onTenantCreated: async (tenantId) => {
      await people.addProject(tenantId)
      options.onTenantCreated?.()
    },
    ...(log === undefined ? {} : { log }),
  })
  const isOperatorToken = (token: string): boolean => equalText(token, instance.secrets.operatorToken)

  return {
    handler(request, clientAddress) {
      const headers = new Headers(request.headers)
      headers.delete(CLIENT_ADDRESS_HEADER)
      if (clientAddress !== undefined) headers.set(CLIENT_ADDRESS_HEADER, clientAddress)
      return auth.handler(new Request(request, { headers }))
    },

    async sessionOf(headers) {
      if (!headers.has('cookie')) return null
      const found = await auth.session(headers).catch(async (cause: unknown) => {
        // "The database is away" must not look like "signed out" or a fault of ours: ping throws store.unavailable.
        await store.ping()
        throw cause
      })
      const tenantId = found?.session.activeOrganizationId
      if (!found || !tenantId || !isRole(found.user.role)) return null
      const place = await people.placeIn(found.user.id, tenantId)
      if (place === null) return null
      const { id, name, email, role } = found.user
      return {
        userId: id as Id<'user'>,
        tenantId: tenantId as Id<'tenant'>,
        projectId: place.projectId,
        role,
        name,
        email,
      }
    },

    async operatorOf(headers) {
      const token = /^Bearer (\S+)$/.exec(headers.get('authorization') ?? '')?.[1]
      if (token === undefined || !isOperatorToken(token)) return null
      const home = await people.operator()
      return home === null ? null : { ...home, role: 'operator', name: 'Operator', email: null }
    },

    isOperatorToken,
    allows,
    permissionsOf,
    keys: createApiKeys({ store, pepper: instance.secrets.pepper, ids, clock, randomBytes }),
    oneTimeLinks: {
      async create(userId) {
        if (!(await people.exists(userId))) throw identityErrors['user.not_found']({ id: userId })
        const token = Buffer.from(randomBytes(32)).toString('base64url')
        return { token, expiresAt: await auth.storeLink(token, userId) }
      },
    },
    people: {
      async add({ password, ...person }) {
        const passwordHash = password === null ? null : await auth.hashPassword(password)
        return await people.addPerson({ ...person, passwordHash })
      },
    },
    projects: people.projects,
    tenantName: people.tenantName,
    bootstrap: people.bootstrap,
  }
}

/** Takes the same time wherever the two differ; only the length shows. */
function equalText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
