import { createHmac } from 'node:crypto'
import type { TenantScope } from '@medley/kernel'
import type { GatewayKey } from '@medley/serving/protocol'

const PLAYGROUND_KEY_ID = 'key_playground'

export interface PlaygroundKeys {
  /** The tenant's key for requests made in the console. Never leaves the factory's processes. */
  keyFor(scope: TenantScope): string
  /** For the gateway's snapshot. */
  snapshot(): readonly GatewayKey[]
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const PREFIX_LENGTH = 10
const SECRET_LENGTH = 43

/**
 * Keys that need no table: each follows from the instance's pepper and its tenant, so that a restarted server knows
 * them again and a copy of the database does not hold them.
 */
export function createPlaygroundKeys(pepper: string, onNew: () => void): PlaygroundKeys {
  const known = new Map<string, GatewayKey>()
  return {
    keyFor(scope) {
      const projectId = scope.projectId ?? ''
      const owner = `${scope.tenantId} ${projectId}`
      const prefix = text(pepper, `playground prefix ${owner}`, PREFIX_LENGTH)
      const key = `mk_${prefix}_${text(pepper, `playground secret ${owner}`, SECRET_LENGTH)}`
      if (!known.has(owner)) {
        known.set(owner, {
          id: PLAYGROUND_KEY_ID,
          prefix,
          hash: createHmac('sha256', pepper).update(key).digest('hex'),
          tenantId: scope.tenantId,
          projectId,
          scopes: ['inference'],
          expiresAt: null,
        })
        onNew()
      }
      return key
    },
    snapshot: () => [...known.values()],
  }
}

/** `length` characters that only the holder of the secret can compute. */
function text(secret: string, label: string, length: number): string {
  let out = ''
  for (let block = 0; out.length < length; block += 1) {
    for (const byte of createHmac('sha256', secret).update(`${label} ${block}`).digest()) {
      // Bytes past the last whole multiple of 62 would favour the first characters.
      if (byte < 248) out += ALPHABET[byte % 62]
    }
  }
  return out.slice(0, length)
}
