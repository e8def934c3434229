import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { lstat, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  type EmbeddedPostgres,
  type Migrations,
  migrate,
  type OpenedStore,
  openStore,
  type StoreConnection,
  startEmbedded,
} from '@medley/store'
import { sweepAbandonedServers, TEST_PREFIX } from './sweep.ts'

export interface TestStore {
  readonly store: OpenedStore
  readonly connection: StoreConnection
  close(): Promise<void>
}

/**
 * A store on a fresh database of this process's own PostgreSQL, with `modules` migrated. The server starts with the
 * first call, is shared by all that are open, and is gone with the last `close`. Without fsync: for tests only.
 */
export async function startTestStore(...modules: readonly Migrations[]): Promise<TestStore> {
  users += 1
  server ??= startServer()
  try {
    const { postgres } = await server
    const database = `test_${randomUUID().replaceAll('-', '')}`
    await asSuperuser(postgres, `create database ${database} owner ${postgres.connection.user}`)
    const connection = { ...postgres.connection, database }
    const store = openStore({ connection, maxConnections: 8 })
    if (modules.length > 0) await migrate(store, ...modules)
    return { store, connection, close: () => store.close().then(leave) }
  } catch (error) {
    await leave()
    throw error
  }
}

/** One test's store: `await withStore([migrations], async (store) => ...)`. */
export async function withStore<Result>(
  modules: readonly Migrations[],
  work: (store: OpenedStore) => Promise<Result>,
): Promise<Result> {
  const { store, close } = await startTestStore(...modules)
  try {
    return await work(store)
  } finally {
    await close()
  }
}

interface Server {
  readonly postgres: EmbeddedPostgres
  readonly stop: () => Promise<void>
}

let server: Promise<Server> | null = null
let users = 0

async function leave(): Promise<void> {
  users -= 1
  if (users > 0 || server === null) return
  const last = server
  server = null
  await last.then(({ stop }) => stop())
}

async function startServer(): Promise<Server> {
  await sweepAbandonedServers()
  const directory = await mkdtemp(join(tmpdir(), `${TEST_PREFIX}${process.pid}-`))
  const place = join(directory, 'postgres')
  await copyTemplate(place)
  const postgres = await startEmbedded({ directory: place, durable: false })
  const abandon = (): void => {
    try {
      process.kill(postgres.pid, 'SIGKILL')
    } catch {}
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  process.once('exit', abandon)
  return {
    postgres,
    async stop() {
      process.off('exit', abandon)
      await postgres.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Making a cluster costs the better part of a second, copying one a tenth: it is made once per machine and user. */
async function copyTemplate(place: string): Promise<void> {
  const template = join(tmpdir(), `medley-test-template-18-${process.getuid?.() ?? 0}`)
  if ((await lstat(template).catch(() => null)) === null) {
    const draft = await mkdtemp(`${template}-`)
    const first = await startEmbedded({ directory: draft, durable: false })
    await first.stop()
    await rename(draft, template).catch(() => rm(draft, { recursive: true, force: true }))
  }
  // Ownership too: as root the cluster belongs to the account that PostgreSQL runs under.
  await promisify(execFile)('cp', ['-a', template, place])
}

async function asSuperuser(postgres: EmbeddedPostgres, statement: string): Promise<void> {
  const store = openStore({ connection: postgres.superuser, maxConnections: 1 })
  try {
    await store.pool.query(statement)
  } finally {
    await store.close()
  }
}
