import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { GatewaySnapshot } from '@medley/serving/protocol'
import { type UsageRecord, usageRecord } from '@medley/supply/protocol'
import { z } from 'zod'

const usageBatch = z.object({ records: z.array(usageRecord) })

export interface ScriptedServer {
  readonly url: string
  /** By request id, every record that was delivered: more than one is a repeated delivery. */
  readonly usage: Map<string, UsageRecord[]>
  readonly tokens: Set<string>
  /** Refuses usage while true. */
  down: boolean
  publish(snapshot: GatewaySnapshot): void
  /** Resolves with the record of a request once it has arrived. */
  record(requestId: string): Promise<UsageRecord>
  close(): Promise<void>
}

/** The two internal endpoints of a server, real HTTP, with the long poll. */
export async function startServer(initial: GatewaySnapshot | null, port = 0): Promise<ScriptedServer> {
  let snapshot = initial
  const waiting: (() => void)[] = []
  const wakeAll = () => {
    for (const wake of waiting.splice(0)) wake()
  }
  const usage = new Map<string, UsageRecord[]>()
  const tokens = new Set<string>()
  const nextSnapshot = async (after: number, waitMs: number) => {
    if (snapshot === null || snapshot.revision === after) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve)
        setTimeout(resolve, waitMs)
      })
    }
    return snapshot?.revision === after ? null : snapshot
  }
  const ingest = (body: string) => {
    const { records } = usageBatch.parse(JSON.parse(body))
    for (const record of records) usage.set(record.requestId, [...(usage.get(record.requestId) ?? []), record])
    return records.length
  }
  const sockets = createServer(async (request, response) => {
    tokens.add(String(request.headers.authorization))
    const url = new URL(request.url ?? '/', 'http://server')
    if (url.pathname === '/internal/gateway/snapshot') {
      const next = await nextSnapshot(Number(url.searchParams.get('after')), Number(url.searchParams.get('waitMs')))
      return answer(response, next === null ? 204 : 200, next)
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    if (server.down) return answer(response, 503, {})
    return answer(response, 200, { accepted: ingest(Buffer.concat(chunks).toString('utf8')) })
  })
  sockets.listen(port, '127.0.0.1')
  await once(sockets, 'listening')
  const server: ScriptedServer = {
    url: `http://127.0.0.1:${(sockets.address() as AddressInfo).port}`,
    usage,
    tokens,
    down: false,
    publish: (next) => {
      snapshot = next
      wakeAll()
    },
    record: async (requestId) => {
      for (;;) {
        const [found] = usage.get(requestId) ?? []
        if (found !== undefined) return found
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
    close: async () => {
      sockets.close()
      sockets.closeAllConnections()
      await once(sockets, 'close')
    },
  }
  return server
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(status === 204 ? undefined : JSON.stringify(value))
}
