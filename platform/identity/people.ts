import { type Clock, type Id, type IdFactory, systemScope } from '@medley/kernel'
import type { Store, Transaction } from '@medley/store'
import { sql } from 'kysely'
import { z } from 'zod'
import { identityErrors } from './errors.ts'
import type { Role } from './permissions.ts'
import type { IdentityTables } from './tables.ts'

export interface Home {
  readonly userId: Id<'user'>
  readonly tenantId: Id<'tenant'>
  readonly projectId: Id<'project'>
}

export interface NewPerson {
  readonly email: string
  readonly name: string
  readonly role: Role
  readonly tenantId: Id<'tenant'>
  /** Already hashed by better-auth; null for someone who comes by one-time link only. */
  readonly passwordHash: string | null
}

export interface PeopleDependencies {
  readonly store: Store
  readonly ids: IdFactory
  readonly clock: Clock
}

const SYSTEM = systemScope('identity')
const tenantMetadata = z.object({ name: z.object({ en: z.string(), zh: z.string() }).optional() })

/** Writes people, tenants and projects where better-auth offers no transaction over all of them. */
export function createPeople({ store, ids, clock }: PeopleDependencies) {
  const db = store.tables<IdentityTables>()

  async function insertPerson(tx: Transaction<IdentityTables>, person: NewPerson): Promise<Id<'user'>> {
    const at = new Date(clock.now())
    const id = ids.next('user')
    const { email, name, role, tenantId, passwordHash } = person
    const times = { createdAt: at, updatedAt: at }
    const user = { id, name, email: email.toLowerCase(), emailVerified: true, image: null, role, ...times }
    await tx.insertInto('auth_users').values(user).execute()
    const member = { id: `member-${id}`, organizationId: tenantId, userId: id, createdAt: at }
    await tx
      .insertInto('auth_members')
      .values({ ...member, role: role === 'operator' ? 'owner' : 'member' })
      .execute()
    if (passwordHash !== null) {
      const account = { id: `account-${id}`, accountId: id, providerId: 'credential', userId: id }
      await tx
        .insertInto('auth_accounts')
        .values({ ...account, password: passwordHash, ...times })
        .execute()
    }
    return id
  }

  async function insertProject(tx: Transaction<IdentityTables>, tenantId: string): Promise<Id<'project'>> {
    const id = ids.next('project')
    const name = JSON.stringify({ en: 'Default project', zh: '默认项目' })
    await sql`
      insert into projects (id, tenant_id, name, created_at)
      values (${id}, ${tenantId}, ${name}::jsonb, ${new Date(clock.now())})`.execute(tx)
    return id
  }

  return {
    /**
     * The first operator, tenant and project; on every later start just finds them. Whole or not at all, also when
     * two servers start at once.
     */
    bootstrap: (): Promise<Home & { readonly created: boolean }> =>
      db.run(SYSTEM, async (tx) => {
        await sql`select pg_advisory_xact_lock(hashtext('medley:identity-bootstrap'))`.execute(tx)
        const found = await findOperator(tx)
        if (found !== null) return { ...found, created: false }
        const tenantId = ids.next('tenant')
        await tx
          .insertInto('auth_organizations')
          .values({
            id: tenantId,
            name: 'Default',
            slug: 'default',
            createdAt: new Date(clock.now()),
            metadata: JSON.stringify({ name: { en: 'Default', zh: '默认' } }),
          })
          .execute()
        const projectId = await insertProject(tx, tenantId)
        const email = 'operator@medley.localhost'
        const operator: NewPerson = { email, name: 'Operator', role: 'operator', tenantId, passwordHash: null }
        return { userId: await insertPerson(tx, operator), tenantId, projectId, created: true }
      }),

    /** As its members gave it, in both languages where they did. */
    tenantName: async (tenantId: string): Promise<{ en: string; 'zh-CN': string }> => {
      const found = await db.run(SYSTEM, (tx) =>
        tx.selectFrom('auth_organizations').select(['name', 'metadata']).where('id', '=', tenantId).executeTakeFirst(),
      )
      const name = found?.name ?? tenantId
      const given = tenantMetadata.safeParse(JSON.parse(found?.metadata ?? '{}'))
      return { en: given.data?.name?.en ?? name, 'zh-CN': given.data?.name?.zh ?? name }
    },

    operator: (): Promise<Home | null> => db.run(SYSTEM, findOperator),

    /** @throws identity.user.exists */
    addPerson: (person: NewPerson): Promise<Id<'user'>> =>
      db.run(SYSTEM, async (tx) => {
        const taken = await tx
          .selectFrom('auth_users')
          .select('id')
          .where('email', '=', person.email.toLowerCase())
          .executeTakeFirst()
        if (taken !== undefined) throw identityErrors['user.exists']()
        return await insertPerson(tx, person)
      }),

    addProject: (tenantId: string): Promise<Id<'project'>> => db.run(SYSTEM, (tx) => insertProject(tx, tenantId)),

    projects: (): Promise<readonly { readonly tenantId: string; readonly projectId: string }[]> =>
      db.run(SYSTEM, (tx) =>
        tx.selectFrom('projects').select(['tenant_id as tenantId', 'id as projectId']).orderBy('id').execute(),
      ),

    exists: async (userId: string): Promise<boolean> => {
      const found = await db.run(SYSTEM, (tx) =>
        tx.selectFrom('auth_users').select('id').where('id', '=', userId).executeTakeFirst(),
      )
      return found !== undefined
    },

    /** The tenant the person joined first. */
    firstTenantOf: async (userId: string): Promise<string | null> => {
      const found = await db.run(SYSTEM, (tx) =>
        tx
          .selectFrom('auth_members')
          .select('organizationId')
          .where('userId', '=', userId)
          .orderBy('createdAt')
          .orderBy('id')
          .executeTakeFirst(),
      )
      return found?.organizationId ?? null
    },

    /**
     * The first project of a tenant, if the person is still a member of it: a session outlives a membership.
     *
     * @returns null when not a member.
     */
    placeIn: async (userId: string, tenantId: string): Promise<{ projectId: Id<'project'> | null } | null> => {
      const found = await db.run(SYSTEM, (tx) =>
        tx
          .selectFrom('auth_members')
          .leftJoin('projects', 'projects.tenant_id', 'auth_members.organizationId')
          .select('projects.id as projectId')
          .where('auth_members.userId', '=', userId)
          .where('auth_members.organizationId', '=', tenantId)
          .orderBy('projects.id')
          .executeTakeFirst(),
      )
      return found === undefined ? null : { projectId: found.projectId as Id<'project'> | null }
    },
  }
}

async function findOperator(tx: Transaction<IdentityTables>): Promise<Home | null> {
  const row = await tx
    .selectFrom('auth_users')
    .innerJoin('auth_members', 'auth_members.userId', 'auth_users.id')
    .innerJoin('projects', 'projects.tenant_id', 'auth_members.organizationId')
    .select(['auth_users.id as userId', 'projects.tenant_id as tenantId', 'projects.id as projectId'])
    .where('auth_users.role', '=', 'operator')
    .orderBy('auth_users.createdAt')
    .orderBy('auth_users.id')
    .orderBy('projects.id')
    .executeTakeFirst()
  return row === undefined ? null : (row as Home)
}
