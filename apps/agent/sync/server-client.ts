import { readFile } from 'node:fs/promises'
import { type AgentOrders, type AgentReport, agentOrders } from '@medley/fleet/protocol'
import { z } from 'zod'
import { agentErrors } from '../errors.ts'

const secrets = z.object({ internalToken: z.string().min(1) })

/** How long an answer may take beyond what the server was allowed to hold it. */
const PATIENCE_MS = 15_000

export interface ServerClient {
  /** @throws when the server is away, refuses, or answers what the protocol does not know. */
  sync(report: AgentReport, signal: AbortSignal): Promise<AgentOrders>
}

/** The agent's only way to the server. The token is read at each call: a rotated one needs no restart. */
export function createServerClient(serverUrl: string, tokenFile: string): ServerClient {
  const url = new URL('/internal/agents/sync', serverUrl)
  return {
    sync: async (report, signal) => {
      const { internalToken } = secrets.parse(JSON.parse(await readFile(tokenFile, 'utf8')))
      const response = await fetch(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${internalToken}`, 'content-type': 'application/json' },
        body: JSON.stringify(report),
        signal: AbortSignal.any([signal, AbortSignal.timeout(report.waitMs + PATIENCE_MS)]),
      })
      if (!response.ok) {
        await response.body?.cancel()
        throw agentErrors['server.refused']({ status: response.status })
      }
      return agentOrders.parse(await response.json())
    },
  }
}
