import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type InstanceSigner, signUpgrade } from '@medley/enrolment'
import type { AgentUpgrade } from '@medley/enrolment/protocol'
import { z } from 'zod'

export const BUNDLE_PATH = '/agents/v1/bundles'

/** As `npm run pack:agent` writes it, beside the bundle itself. */
const manifest = z.object({
  version: z.string().regex(/^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$/),
  bytes: z.number().int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})

export interface Upgrades {
  /** What an agent of another version should replace itself with; null: nothing is offered. */
  current(): AgentUpgrade | null
  /** The bundle's bytes; null for any other than the one offered. */
  bundle(sha256: string): Promise<Uint8Array<ArrayBuffer> | null>
  /** Looks whether an operator has put another bundle in place. */
  refresh(): Promise<void>
}

/**
 * Offers nodes the agent that lies in `directory`. Only what is whole and as its manifest says is signed: an agent
 * believes nothing else, and one broken offer would be fetched by every node.
 */
export function createUpgrades(ports: {
  readonly directory: string
  readonly instance: InstanceSigner
  readonly log: (message: string, error: unknown) => void
}): Upgrades {
  const { directory } = ports
  let offered: { readonly upgrade: AgentUpgrade; readonly file: string } | null = null
  let seen = ''

  async function read(): Promise<typeof offered> {
    const told = manifest.parse(JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')))
    const { version, bytes, sha256 } = told
    const file = join(directory, `medley-agent-${version}.json.gz`)
    const packed = await readFile(file)
    const digest = createHash('sha256').update(packed).digest('hex')
    if (packed.length !== bytes || digest !== sha256) throw new Error(`${file} is not what its manifest says`)
    const signature = signUpgrade(ports.instance, { version, sha256 })
    return { file, upgrade: { version, bytes, sha256, signature, path: `${BUNDLE_PATH}/${sha256}` } }
  }

  return {
    current: () => offered?.upgrade ?? null,
    async bundle(sha256) {
      if (offered?.upgrade.sha256 !== sha256) return null
      return new Uint8Array(await readFile(offered.file))
    },
    async refresh() {
      const found = await stat(join(directory, 'manifest.json')).catch(() => null)
      const mark = found ? `${found.mtimeMs} ${found.size}` : ''
      if (mark === seen) return
      seen = mark
      offered = null
      if (!found) return
      offered = await read().catch((error: unknown) => {
        ports.log('the agent’s bundle cannot be offered', error)
        return null
      })
    },
  }
}
