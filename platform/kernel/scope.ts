import type { Id } from './ids.ts'

export interface Actor {
  readonly kind: 'user' | 'key' | 'system'
  readonly id: string
}

/** On whose behalf a port is called. Every port takes one; the store turns it into row-level security. */
export interface TenantScope {
  readonly kind: 'tenant'
  readonly tenantId: Id<'tenant'>
  readonly projectId: Id<'project'> | null
  readonly actor: Actor
}

/** The factory's own work over all tenants (ingest, migration, operators' views). Never built from a request. */
export interface SystemScope {
  readonly kind: 'system'
  readonly actor: Actor
}

export type Scope = TenantScope | SystemScope

export function systemScope(name: string): SystemScope {
  return { kind: 'system', actor: { kind: 'system', id: name } }
}
