import type { Server } from 'node:http'
import { serve } from '@hono/node-server'
import { compose } from './compose.ts'
import { readServerConfig } from './config.ts'
import { createApp } from './http/app.ts'

const DRAIN_MS = 5_000

const config = readServerConfig(process.env)
const { factory, bringUp, close } = await compose(config, process.env)
const app = createApp(factory)

const server = serve({ fetch: app.fetch, hostname: config.listen.host, port: config.listen.port }, () => {
  if (process.connected) process.send?.({ type: 'ready', port: config.listen.port })
})
factory.channel.attach(server as Server)

const stopping = new AbortController()
void bringUp(stopping.signal).catch((error: unknown) => {
  if (!stopping.signal.aborted) factory.log.error({ err: error }, 'bring-up ended')
})

// A server that lost its supervisor would hold the port against the next one.
process.once('disconnect', () => stop('supervisor gone'))
// It may have gone while this process was starting.
if (process.connected === false) stop('supervisor gone')
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop(signal))

function stop(reason: string): void {
  if (stopping.signal.aborted) return
  factory.log.info({ reason }, 'stopping')
  stopping.abort()
  factory.channel.close()
  server.close(() => {
    void close().finally(() => process.exit(0))
  })
  // Long polls and event streams never end by themselves.
  setTimeout(() => process.exit(0), DRAIN_MS).unref()
  if ('closeIdleConnections' in server) server.closeIdleConnections()
}
