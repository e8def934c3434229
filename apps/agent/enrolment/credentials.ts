import { randomUUID } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { agentErrors } from '../errors.ts'
import { readJson, writeJson } from '../state-files.ts'
import { generateNodeKeyPair, nodeKeyPair } from '../sync/keys.ts'

/** What joining gave: whom this node talks to from now on, and who it is there. */
export const joined = z.object({
  serverUrl: z.url(),
  nodeId: z.string(),
  instanceId: z.string(),
  /** Pinned: only who can sign with it is the server. */
  instanceKey: z.string(),
})
export type Joined = z.infer<typeof joined>

export const credentials = z.object({
  /** Names this directory; a copied one carries it along. */
  nodeKey: z.string().min(1),
  keys: nodeKeyPair,
  /** Null before the first join, or since the server has forgotten the node. */
  joined: joined.nullable(),
})
export type Credentials = z.infer<typeof credentials>

const earlierNodeFile = z.object({ nodeKey: z.string().min(1) })

/**
 * The node's own keys, made at the first call. They are on disk before any server hears of them: an answer lost on the
 * way is asked for again with the very same key.
 *
 * @throws `agent.credentials.exposed` when others on the machine may read them, `agent.credentials.unreadable`
 */
export async function openCredentials(stateDirectory: string): Promise<Credentials> {
  const file = fileOf(stateDirectory)
  const known = await readCredentials(file)
  if (known) return known
  const earlier = earlierNodeFile.safeParse(await readJson(path.join(stateDirectory, 'node.json')))
  const nodeKey = earlier.success ? earlier.data.nodeKey : randomUUID()
  const made: Credentials = { nodeKey, keys: generateNodeKeyPair(), joined: null }
  await saveCredentials(stateDirectory, made)
  return made
}

export async function saveCredentials(stateDirectory: string, value: Credentials): Promise<void> {
  const file = fileOf(stateDirectory)
  await writeJson(file, value).catch((cause: unknown) => {
    throw agentErrors['credentials.unreadable']({ file, reason: reasonOf(cause) }, { cause })
  })
}

async function readCredentials(file: string): Promise<Credentials | null> {
  const unreadable = (cause: unknown): never => {
    throw agentErrors['credentials.unreadable']({ file, reason: reasonOf(cause) }, { cause })
  }
  const facts = await stat(file).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? null : unreadable(error),
  )
  if (facts === null) return null
  const mode = facts.mode & 0o777
  if (process.platform !== 'win32' && (mode & 0o077) !== 0)
    throw agentErrors['credentials.exposed']({ file, mode: mode.toString(8).padStart(3, '0') })
  const text = await readFile(file, 'utf8').catch(unreadable)
  try {
    return credentials.parse(JSON.parse(text))
  } catch {
    // The parser's own words would quote the file, and the file holds the private key.
    return unreadable('not as written')
  }
}

function fileOf(stateDirectory: string): string {
  return path.join(stateDirectory, 'credentials.json')
}

function reasonOf(cause: unknown): string {
  if (cause instanceof Error && 'code' in cause) return String(cause.code)
  return cause instanceof Error ? cause.message : String(cause)
}
