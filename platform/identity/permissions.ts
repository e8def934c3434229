export const ROLES = ['operator', 'developer', 'auditor'] as const
export type Role = (typeof ROLES)[number]

const READ = [
  'status:read',
  'chips:read',
  'nodes:read',
  'alerts:read',
  'supply:read',
  'proving:read',
  'models:read',
  'deployments:read',
  'keys:read',
  'usage:read',
] as const

/** Who may join and what anybody did: for those who answer for the centre, not for those who build on it. */
const INSPECT = ['join-tokens:read', 'audit:read'] as const

const DEVELOP = ['keys:write', 'playground:use'] as const

const OPERATE = [
  'nodes:write',
  'join-tokens:write',
  'alerts:write',
  'supply:write',
  'proving:run',
  'deployments:write',
  'sign-in-links:write',
  'people:write',
  'system:admin',
] as const

export type Permission =
  | (typeof READ)[number]
  | (typeof INSPECT)[number]
  | (typeof DEVELOP)[number]
  | (typeof OPERATE)[number]

const GRANTS: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  operator: new Set<Permission>([...READ, ...INSPECT, ...DEVELOP, ...OPERATE]),
  developer: new Set<Permission>([...READ, ...DEVELOP]),
  auditor: new Set<Permission>([...READ, ...INSPECT]),
}

export function isRole(text: string): text is Role {
  return Object.hasOwn(GRANTS, text)
}

/** The one policy: what is not granted here is denied, unknown roles included. */
export function allows(role: string, permission: Permission): boolean {
  return isRole(role) && GRANTS[role].has(permission)
}

/** What a role may do, for a page that hides what would be refused. */
export function permissionsOf(role: string): readonly Permission[] {
  return isRole(role) ? [...GRANTS[role]] : []
}
