import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { AgentConfig } from '../config.ts'
import { agentErrors } from '../errors.ts'
import type { ChannelIdentity } from '../sync/channel.ts'
import { type Credentials, type Joined, openCredentials } from './credentials.ts'
import { joinOwnServer } from './join.ts'

const secrets = z.object({ internalToken: z.string().min(1) })

export interface Identity {
  readonly nodeKey: string
  readonly serverUrl: string
  /** Joins first where this agent may do so by itself. */
  current(): Promise<ChannelIdentity>
  /** The server does not take what {@link Identity.current} gave. */
  refused(): 'again' | undefined
}

/**
 * Who this agent is to its server. The factory's own agent joins by itself, at its first start and whenever the server
 * does not know it (a fresh database); any other was joined by a person and stays what it is.
 *
 * @throws `agent.join.missing` and what opening the credentials throws
 */
export async function openIdentity(config: AgentConfig, stateDirectory: string): Promise<Identity> {
  let known = await openCredentials(stateDirectory)
  const { tokenFile } = config
  if (tokenFile === undefined) {
    const { joined } = known
    if (joined === null) throw agentErrors['join.missing']({ directory: config.dataDirectory })
    const identity = identityOf(known, joined)
    return {
      nodeKey: known.nodeKey,
      serverUrl: config.serverUrl ?? joined.serverUrl,
      current: async () => identity,
      refused: () => undefined,
    }
  }
  const { serverUrl } = config
  if (serverUrl === undefined) throw agentErrors['join.missing']({ directory: config.dataDirectory })
  return {
    nodeKey: known.nodeKey,
    serverUrl,
    current: async () => {
      if (known.joined !== null) return identityOf(known, known.joined)
      // Read at each try: a rotated token needs no restart.
      const { internalToken } = secrets.parse(JSON.parse(await readFile(tokenFile, 'utf8')))
      const joined = await joinOwnServer(stateDirectory, known, { serverUrl, token: internalToken })
      known = { ...known, joined }
      return identityOf(known, joined)
    },
    refused: () => {
      known = { ...known, joined: null }
      return 'again'
    },
  }
}

function identityOf({ keys }: Credentials, { nodeId, instanceId, instanceKey }: Joined): ChannelIdentity {
  return { nodeId, keys, instanceId, instanceKey }
}
