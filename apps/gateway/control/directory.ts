import { createHmac, timingSafeEqual } from 'node:crypto'
import type { GatewayKey, GatewayRoute, GatewaySnapshot } from '@medley/serving/protocol'

export type Endpoint = 'chat' | 'completion' | 'embedding'

/** One snapshot, indexed for the questions each request asks. */
export interface Directory {
  readonly revision: number
  /** The key that this token is, or null when there is none or it has expired. */
  authenticate(token: string, nowMs: number): GatewayKey | null
  /** The tenant's own model of that name, else the one that everybody may call. */
  route(tenantId: string, model: string): GatewayRoute | null
  /** Every route the tenant may call, by model name. */
  routes(tenantId: string): GatewayRoute[]
}

const TOKEN = /^mk_([^_]+)_.+$/

export function createDirectory(snapshot: GatewaySnapshot, pepper: string): Directory {
  const keys = new Map(snapshot.keys.map((key) => [key.prefix, key]))
  const routes = new Map(snapshot.routes.map((route) => [routeKey(route), route]))
  const routeOf = (tenantId: string, model: string) =>
    routes.get(routeKey({ tenantId, model })) ?? routes.get(routeKey({ tenantId: null, model })) ?? null
  return {
    revision: snapshot.revision,
    authenticate: (token, nowMs) => {
      const prefix = TOKEN.exec(token)?.[1]
      const key = prefix === undefined ? undefined : keys.get(prefix)
      if (key === undefined || !isKey(token, key.hash, pepper)) return null
      return key.expiresAt !== null && key.expiresAt <= nowMs ? null : key
    },
    route: routeOf,
    routes: (tenantId) =>
      snapshot.routes
        .filter((route) => routeOf(tenantId, route.model) === route)
        .sort((left, right) => (left.model < right.model ? -1 : 1)),
  }
}

/** Names a route among those of all tenants, which may give the same name to different models. */
export function routeKey({ tenantId, model }: Pick<GatewayRoute, 'tenantId' | 'model'>): string {
  return `${tenantId ?? ''}\n${model}`
}

/** For an error's hint: what could have been asked for instead. */
export function namesOf(routes: readonly GatewayRoute[]): string {
  return routes.length === 0 ? '-' : routes.map(({ model }) => model).join(', ')
}

function isKey(token: string, expectedHex: string, pepper: string): boolean {
  const expected = Buffer.from(expectedHex, 'hex')
  const actual = createHmac('sha256', pepper).update(token).digest()
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}
