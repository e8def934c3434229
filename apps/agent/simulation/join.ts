import { JOIN_PATH, type JoinRequest, joinAnswer } from '@medley/enrolment/protocol'
import { z } from 'zod'
import { generateNodeKeyPair } from '../sync/keys.ts'
import type { FleetDirectory, Member } from './directory.ts'
import type { SimulatedNode } from './model.ts'

const PATIENCE_MS = 30_000
const FIRST_BACKOFF_MS = 500
const LONGEST_BACKOFF_MS = 10_000

const problem = z.object({ code: z.string(), title: z.string() })

/** The server will not take the token; trying again would not help. */
export class JoinRefusedError extends Error {
  readonly status: number
  readonly code: string | null

  constructor(status: number, code: string | null, message: string) {
    super(message)
    this.name = 'JoinRefusedError'
    this.status = status
    this.code = code
  }
}

export interface JoinOptions {
  readonly serverUrl: string
  readonly token: () => Promise<string | null>
  readonly agentVersion: string
  readonly signal: AbortSignal
}

/**
 * The node as the directory remembers it, else newly joined and remembered.
 *
 * @throws JoinRefusedError where the server refuses; the signal's reason where it called off the waiting for a server
 * that is away.
 */
export async function memberOf(
  node: SimulatedNode,
  directory: FleetDirectory,
  options: JoinOptions,
): Promise<{ readonly member: Member; readonly isNew: boolean }> {
  const known = directory.members.get(node.hostname)
  if (known) return { member: known, isNew: false }
  const token = await options.token()
  if (token === null)
    throw new JoinRefusedError(401, null, `${node.hostname} has not joined yet: a join token is needed`)
  const keys = generateNodeKeyPair()
  const nodeKey = `sim-${directory.fleetId}-${node.hostname}`
  const request: JoinRequest = {
    nodeKey,
    hostname: node.hostname,
    publicKey: keys.publicKey,
    agentVersion: options.agentVersion,
    simulated: true,
  }
  const answer = await joinPatiently(request, { ...options, token })
  const member = { hostname: node.hostname, nodeKey, keys, ...answer }
  await directory.remember(member)
  return { member, isNew: true }
}

interface Joining extends Omit<JoinOptions, 'token'> {
  readonly token: string
}

async function joinPatiently(request: JoinRequest, options: Joining) {
  for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(LONGEST_BACKOFF_MS, backoffMs * 2)) {
    options.signal.throwIfAborted()
    try {
      return await joinOnce(request, options)
    } catch (error) {
      if (error instanceof JoinRefusedError || options.signal.aborted) throw error
      await new Promise((resolve) => setTimeout(resolve, backoffMs))
    }
  }
}

async function joinOnce(request: JoinRequest, options: Joining) {
  const response = await fetch(new URL(JOIN_PATH, options.serverUrl), {
    method: 'POST',
    headers: { authorization: `Bearer ${options.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(request),
    signal: AbortSignal.any([options.signal, AbortSignal.timeout(PATIENCE_MS)]),
  })
  const body: unknown = await response.json().catch(() => null)
  if (response.ok) return joinAnswer.parse(body)
  const told = problem.safeParse(body)
  const message = told.success ? told.data.title : `the server answered ${response.status}`
  // Busy or broken servers recover; a token does not.
  if (response.status === 429 || response.status >= 500) throw new Error(message)
  throw new JoinRefusedError(response.status, told.success ? told.data.code : null, message)
}
