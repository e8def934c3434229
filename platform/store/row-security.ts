import { type Kysely, type QueryExecutorProvider, sql } from 'kysely'

/** The role that transactions step down to when the configured one is exempt from row-level security. */
const SCOPED_ROLE = 'medley_rls'

/**
 * Puts a table with a `tenant_id` column under forced row-level security: a system scope sees all rows, a tenant
 * scope reads and writes its own, and without a scope there is nothing. Call it in the migration that creates the
 * table. Indexes still want `tenant_id` first: the policy filters, it does not search.
 */
export async function enableTenantIsolation(db: QueryExecutorProvider, table: string): Promise<void> {
  const visible = sql`
    current_setting('medley.scope', true) = 'system'
    or (current_setting('medley.scope', true) = 'tenant' and tenant_id = current_setting('medley.tenant_id', true))`
  await sql`alter table ${sql.table(table)} enable row level security`.execute(db)
  await sql`alter table ${sql.table(table)} force row level security`.execute(db)
  await sql`
    create policy medley_tenant_isolation on ${sql.table(table)} using (${visible}) with check (${visible})`.execute(db)
}

/**
 * Superusers and roles with BYPASSRLS ignore every policy, also forced ones; someone else's DATABASE_URL often
 * names such a role. Then a plain role is made once and each transaction steps down to it.
 *
 * @returns the role to step down to, or null when the connected one is subject to the policies itself.
 */
export async function prepareScopedRole(db: Kysely<unknown>): Promise<string | null> {
  const found = await sql<{ exempt: boolean; schema: string }>`
    select rolsuper or rolbypassrls as exempt, current_schema() as schema
    from pg_roles where rolname = current_user`.execute(db)
  const row = found.rows[0]
  if (row?.exempt !== true) return null
  await db.transaction().execute(async (tx) => {
    const role = sql.ref(SCOPED_ROLE)
    const schema = sql.ref(row.schema)
    // Roles belong to the whole server: two databases of one server may do this at the same moment.
    await sql`select pg_advisory_xact_lock(hashtext('medley:scoped-role'))`.execute(tx)
    const existing = await sql`select 1 from pg_roles where rolname = ${SCOPED_ROLE}`.execute(tx)
    if (existing.rows.length === 0) await sql`create role ${role} nologin noinherit`.execute(tx)
    await sql`grant ${role} to current_user`.execute(tx)
    await sql`grant usage on schema ${schema} to ${role}`.execute(tx)
    await sql`grant all on all tables in schema ${schema} to ${role}`.execute(tx)
    await sql`grant all on all sequences in schema ${schema} to ${role}`.execute(tx)
    await sql`alter default privileges in schema ${schema} grant all on tables to ${role}`.execute(tx)
    await sql`alter default privileges in schema ${schema} grant all on sequences to ${role}`.execute(tx)
  })
  return SCOPED_ROLE
}
