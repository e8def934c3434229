import { createHmac } from 'node:crypto'
import { identityErrors } from '@medley/identity'
import type { TenantScope } from '@medley/kernel'
import type { GatewayKey } from '@medley/serving/protocol'

const PLAYGROUND_KEY_ID = 'key_playground'

interface Project {
  readonly tenantId: string
  readonly projectId: string
}

export interface PlaygroundKeys {
  /**
   * The tenant's key for requests made in the console. Never leaves the factory's processes.
   *
   * @throws AppError `identity.key.project_missing`
   */
  keyFor(scope: TenantScope): string
  /** For the gateway's snapshot: the keys of these projects, whether anybody has used them since a restart or not. */
  snapshot(projects: readonly Project[]): readonly GatewayKey[]
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const PREFIX_LENGTH = 10
const SECRET_LENGTH = 43

/**
 * Keys that need no table: each follows from the instance's pepper and its project, so that a restarted server knows
 * them again and a copy of the database does not hold them.
 */
export function createPlaygroundKeys(pepper: string): PlaygroundKeys {
  const keyOf = ({ tenantId, projectId }: Project) => {
    const owner = `${tenantId} ${projectId}`
    const prefix = text(pepper, `playground prefix ${owner}`, PREFIX_LENGTH)
    return { prefix, key: `mk_${prefix}_${text(pepper, `playground secret ${owner}`, SECRET_LENGTH)}` }
  }
  return {
    keyFor({ tenantId, projectId }) {
      if (projectId === null) throw identityErrors['key.project_missing']()
      return keyOf({ tenantId, projectId }).key
    },
    snapshot: (projects) =>
      projects.map((project) => {
        const { prefix, key } = keyOf(project)
        return {
          id: PLAYGROUND_KEY_ID,
          prefix,
          hash: createHmac('sha256', pepper).update(key).digest('hex'),
          tenantId: project.tenantId,
          projectId: project.projectId,
          scopes: ['inference'],
          expiresAt: null,
        }
      }),
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
