import { readConfig, readSecrets } from './config.ts'
import { startGateway } from './gateway.ts'
import { createLog } from './log.ts'

const path = process.env.MEDLEY_GATEWAY_CONFIG
if (path === undefined) throw new Error('MEDLEY_GATEWAY_CONFIG must name the configuration file')
const config = await readConfig(path)
const log = createLog(config.worker)

const gateway = await startGateway({ config, secrets: await readSecrets(config), clock: Date, log })
log('info', 'gateway.listening', { port: gateway.port })

let stopping = false
async function stop(cause: string): Promise<void> {
  if (stopping) return
  stopping = true
  log('info', 'gateway.draining', { cause })
  await gateway.drain()
  log('info', 'gateway.stopped', {})
  process.exit(0)
}

process.on('SIGTERM', () => stop('SIGTERM'))
process.on('SIGINT', () => stop('SIGINT'))
if (process.send !== undefined) {
  process.on('disconnect', () => stop('disconnect'))
  // The supervisor may have died while this process was starting.
  if (process.connected) process.send({ type: 'ready', port: gateway.port })
  else await stop('disconnect')
}
