/** A process that sends what is due once, for the test that kills it while it does. */
import { randomBytes } from 'node:crypto'
import { createIdFactory } from '@medley/kernel'
import { openStore, type StoreConnection } from '@medley/store'
import { createAlerting } from './index.ts'

process.once('message', (given: { connection: StoreConnection; secret: number[]; nowMs: number }) => {
  const clock = { now: () => given.nowMs }
  const ids = createIdFactory(clock, (size) => new Uint8Array(randomBytes(size)))
  const store = openStore({ connection: given.connection, maxConnections: 2 })
  createAlerting({ store, ids, clock, secret: new Uint8Array(given.secret) })
    .then((alerting) => alerting.deliver())
    .then(() => process.exit(0))
    .catch(() => process.exit(1))
})
