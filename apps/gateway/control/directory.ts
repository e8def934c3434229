import { createHmac, timingSafeEqual } from 'node:crypto'
import type { GatewayKey, GatewayRoute, GatewaySnapshot } from '@medley/serving/protocol'

export type Endpoint = 'chat' | 'completion' | 'embedding'

/** One snapshot, indexed for the two questions each request asks. */
export interface Directory {
  readonly revision: number
  readonly routes: ReadonlyMap<string, GatewayRoute>
  /** The key that this token is, or null when there is none or it has expired. */
  authenticate(token: string, nowMs: number): GatewayKey | null
}

const TOKEN = /^mk_([^_]+)_.+$/

export function createDirectory(snapshot: GatewaySnapshot, pepper: string): Directory {
  const keys = new Map(snapshot.keys.map((key) => [key.prefix, key]))
  return {
    revision: snapshot.revision,
    routes: new Map(snapshot.routes.map((route) => [route.model, route])),
    authenticate: (token, nowMs) => {
      const prefix = TOKEN.exec(token)?.[1]
      const key = prefix === undefined ? undefined : keys.get(prefix)
      if (key === undefined || !isKey(token, key.hash, pepper)) return null
      return key.expiresAt !== null && key.expiresAt <= nowMs ? null : key
    },
  }
}

/** Names a client may use instead, sorted; those of one capability where it is given. */
export function modelNames(directory: Directory, capability?: Endpoint): string[] {
  return [...directory.routes.values()]
    .filter((route) => capability === undefined || route.capabilities.includes(capability))
    .map((route) => route.model)
    .sort()
}

function isKey(token: string, expectedHex: string, pepper: string): boolean {
  const expected = Buffer.from(expectedHex, 'hex')
  const actual = createHmac('sha256', pepper).update(token).digest()
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}
