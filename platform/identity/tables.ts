import { enableTenantIsolation, type Migrations } from '@medley/store'
import { type Kysely, sql } from 'kysely'

export interface IdentityTables {
  projects: {
    id: string
    tenant_id: string
    name: { readonly en: string; readonly zh: string }
    created_at: Date
  }
  api_keys: ApiKeyRow
  api_key_revision: { singleton: true; revision: string }
  auth_users: {
    id: string
    name: string
    email: string
    emailVerified: boolean
    image: string | null
    createdAt: Date
    updatedAt: Date
    role: string
  }
  auth_accounts: {
    id: string
    accountId: string
    providerId: string
    userId: string
    password: string | null
    createdAt: Date
    updatedAt: Date
  }
  auth_organizations: { id: string; name: string; slug: string; createdAt: Date; metadata: string | null }
  auth_members: { id: string; organizationId: string; userId: string; role: string; createdAt: Date }
}

export interface ApiKeyRow {
  id: string
  tenant_id: string
  project_id: string
  name: string
  prefix: string
  hash: string
  scopes: string[]
  created_at: Date
  expires_at: Date | null
  revoked_at: Date | null
  last_used_at: Date | null
  revision: string
}

export const identityMigrations: Migrations = {
  '20261123-10-identity-people': {
    async up(db) {
      for (const statement of PEOPLE.trim().split(';').filter(Boolean)) await sql.raw(statement).execute(db)
    },
  },
  '20261123-11-identity-projects-keys': {
    async up(db) {
      await createProjects(db)
      await createKeys(db)
    },
  },
}

async function createProjects(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table projects (
      id text primary key,
      tenant_id text not null references auth_organizations (id),
      name jsonb not null,
      created_at timestamptz not null,
      unique (tenant_id, id)
    )`.execute(db)
  await enableTenantIsolation(db, 'projects')
}

async function createKeys(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table api_keys (
      id text primary key,
      tenant_id text not null,
      project_id text not null,
      name text not null,
      prefix text not null unique,
      hash text not null,
      scopes text[] not null,
      created_at timestamptz not null,
      expires_at timestamptz,
      revoked_at timestamptz,
      last_used_at timestamptz,
      revision bigint not null,
      foreign key (tenant_id, project_id) references projects (tenant_id, id)
    )`.execute(db)
  await sql`create index api_keys_tenant on api_keys (tenant_id, id)`.execute(db)
  await enableTenantIsolation(db, 'api_keys')
  // A locked row, not a sequence: numbers of a sequence can become visible in another order than they were drawn,
  // and a gateway that has seen the higher one would miss the lower.
  await sql`
    create table api_key_revision (singleton boolean primary key default true check (singleton), revision bigint not null)
  `.execute(db)
  await sql`insert into api_key_revision (revision) values (0)`.execute(db)
}

/**
 * The tables of better-auth 1.7 with our prefix, as its own generator prints them for our options. Kept here, so that
 * they are part of the one migration history; a test asks better-auth whether anything is missing.
 */
const PEOPLE = `
create table "auth_users" ("id" text not null primary key, "name" text not null, "email" text not null unique,
  "emailVerified" boolean not null, "image" text, "createdAt" timestamptz default CURRENT_TIMESTAMP not null,
  "updatedAt" timestamptz default CURRENT_TIMESTAMP not null, "role" text not null);
create table "auth_sessions" ("id" text not null primary key, "expiresAt" timestamptz not null,
  "token" text not null unique, "createdAt" timestamptz default CURRENT_TIMESTAMP not null,
  "updatedAt" timestamptz not null, "ipAddress" text, "userAgent" text,
  "userId" text not null references "auth_users" ("id") on delete cascade, "activeOrganizationId" text);
create table "auth_accounts" ("id" text not null primary key, "accountId" text not null, "providerId" text not null,
  "userId" text not null references "auth_users" ("id") on delete cascade, "accessToken" text, "refreshToken" text,
  "idToken" text, "accessTokenExpiresAt" timestamptz, "refreshTokenExpiresAt" timestamptz, "scope" text,
  "password" text, "createdAt" timestamptz default CURRENT_TIMESTAMP not null, "updatedAt" timestamptz not null);
create table "auth_verifications" ("id" text not null primary key, "identifier" text not null, "value" text not null,
  "expiresAt" timestamptz not null, "createdAt" timestamptz default CURRENT_TIMESTAMP not null,
  "updatedAt" timestamptz default CURRENT_TIMESTAMP not null);
create table "auth_organizations" ("id" text not null primary key, "name" text not null, "slug" text not null unique,
  "logo" text, "createdAt" timestamptz not null, "metadata" text);
create table "auth_members" ("id" text not null primary key,
  "organizationId" text not null references "auth_organizations" ("id") on delete cascade,
  "userId" text not null references "auth_users" ("id") on delete cascade, "role" text not null,
  "createdAt" timestamptz not null);
create table "auth_invitations" ("id" text not null primary key,
  "organizationId" text not null references "auth_organizations" ("id") on delete cascade, "email" text not null,
  "role" text, "status" text not null, "expiresAt" timestamptz not null,
  "createdAt" timestamptz default CURRENT_TIMESTAMP not null,
  "inviterId" text not null references "auth_users" ("id") on delete cascade);
create index "auth_sessions_userId_idx" on "auth_sessions" ("userId");
create index "auth_accounts_userId_idx" on "auth_accounts" ("userId");
create index "auth_verifications_identifier_idx" on "auth_verifications" ("identifier");
create index "auth_members_organizationId_idx" on "auth_members" ("organizationId");
create index "auth_members_userId_idx" on "auth_members" ("userId");
create index "auth_invitations_organizationId_idx" on "auth_invitations" ("organizationId");
create index "auth_invitations_email_idx" on "auth_invitations" ("email")`
