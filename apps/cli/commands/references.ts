import { type Node, node } from '@medley/server/fleet-schemas'
import { type ApiClient, listAll } from '../api-client.ts'
import { CliError } from '../cli-error.ts'

/**
 * The node of that id or host name.
 *
 * @throws CliError with exit code 3 where there is none, 2 where the host name is not one node's alone
 */
export async function findNode(client: ApiClient, word: string): Promise<Node> {
  if (word.startsWith('node_')) return client.get(nodePath(word), node)
  const named = (await listAll(client, '/api/v1/nodes', node, { q: word })).filter(
    ({ facts }) => facts.hostname === word,
  )
  const [only, ...others] = named
  if (only === undefined) throw new CliError(3, `There is no node ${word}. List them with: medley nodes`)
  if (others.length > 0)
    throw new CliError(
      2,
      `${named.length} nodes are called ${word}; give an id: ${named.map(({ id }) => id).join(', ')}`,
    )
  return only
}

export function nodePath(id: string, rest = ''): string {
  return `/api/v1/nodes/${encodeURIComponent(id)}${rest}`
}

export function chipPath(id: string, rest = ''): string {
  return `/api/v1/chips/${encodeURIComponent(id)}${rest}`
}
