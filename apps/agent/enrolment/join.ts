import os from 'node:os'
import path from 'node:path'
import { JOIN_PATH, type JoinRequest, joinAnswer } from '@medley/enrolment/protocol'
import { z } from 'zod'
import { agentErrors } from '../errors.ts'
import { AGENT_VERSION } from '../version.ts'
import { type Credentials, type Joined, openCredentials, saveCredentials } from './credentials.ts'

/** Where the factory's own agent joins, by the token its processes share. */
const OWN_JOIN_PATH = '/internal/agents/join'
const PATIENCE_MS = 20_000

const problem = z.object({ code: z.string(), title: z.string().default('') })

export interface JoinWish {
  readonly serverUrl: string
  /** `mjt_...`, good for a short time. */
  readonly token: string
  readonly dataDirectory: string
}

/**
 * Makes this machine a node of the server, or renews its key there. A token is spent once: where the answer was lost
 * it may be spent already and another is needed, but the node stays the same one, for its key was on disk before the
 * first try.
 *
 * @throws `agent.join.refused` with the server's code, `agent.join.unreachable`, and what opening the credentials throws
 */
export async function joinServer({ serverUrl, token, dataDirectory }: JoinWish): Promise<Joined> {
  const stateDirectory = path.join(dataDirectory, 'agent')
  const known = await openCredentials(stateDirectory)
  return join(stateDirectory, known, { serverUrl, token, path: JOIN_PATH })
}

/** For the agent beside the server, that shares its data directory. */
export function joinOwnServer(
  stateDirectory: string,
  known: Credentials,
  server: { readonly serverUrl: string; readonly token: string },
): Promise<Joined> {
  return join(stateDirectory, known, { ...server, path: OWN_JOIN_PATH })
}

async function join(
  stateDirectory: string,
  known: Credentials,
  server: { readonly serverUrl: string; readonly token: string; readonly path: string },
): Promise<Joined> {
  const request: JoinRequest = {
    nodeKey: known.nodeKey,
    hostname: os.hostname() || 'localhost',
    publicKey: known.keys.publicKey,
    agentVersion: AGENT_VERSION,
    simulated: false,
  }
  const answer = await ask(server, request)
  const joined: Joined = { serverUrl: server.serverUrl, ...answer }
  await saveCredentials(stateDirectory, { ...known, joined })
  return joined
}

async function ask(
  { serverUrl, token, path: joinPath }: { readonly serverUrl: string; readonly token: string; readonly path: string },
  request: JoinRequest,
) {
  const unreachable = (cause: unknown): never => {
    throw agentErrors['join.unreachable']({ server: serverUrl, reason: reasonOf(cause) }, { cause })
  }
  const response = await fetch(new URL(joinPath, serverUrl), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(request),
    // A token must not follow a redirect to somebody else.
    redirect: 'error',
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).catch(unreachable)
  const body: unknown = await response.json().catch(response.ok ? unreachable : () => null)
  if (!response.ok) {
    const said = problem.safeParse(body)
    const reason = said.success ? said.data : { code: `http.${response.status}`, title: '' }
    throw agentErrors['join.refused']({ server: serverUrl, ...reason })
  }
  const answer = joinAnswer.safeParse(body)
  return answer.success ? answer.data : unreachable('not a Medley server, or of another version')
}

function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  if (inner instanceof Error && 'code' in inner) return String(inner.code)
  return inner instanceof Error ? inner.message : String(inner)
}
