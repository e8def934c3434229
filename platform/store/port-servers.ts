import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type EmbeddedPostgres,
  openStore,
  type PostgresBinaries,
  type StoreConnection,
  startEmbedded,
} from './index.ts'

/** A PostgreSQL that the port suite runs on. */
export interface PortServer {
  readonly name: string
  /** Null where it is not installed; the suite then says so and is skipped. */
  readonly start: (() => Promise<RunningServer>) | null
}

export interface RunningServer {
  /** A fresh database, as the role that owns it. */
  database(): Promise<StoreConnection>
  /** The same server as a role that no policy binds, on the given database. */
  asSuperuser(connection: StoreConnection): StoreConnection
  stop(): Promise<void>
}

const DEBIAN_15 = '/usr/lib/postgresql/15/bin'

const debian15: PostgresBinaries = { binDirectory: DEBIAN_15, libraryDirectory: null, majorVersion: 15 }

export const portServers: readonly PortServer[] = [
  { name: 'embedded 18', start: () => startPrivate() },
  {
    name: 'PostgreSQL 15',
    start: existsSync(join(DEBIAN_15, 'postgres')) ? () => startPrivate(debian15) : null,
  },
  ...(process.env.MEDLEY_TEST_DATABASE_URL ? [{ name: 'MEDLEY_TEST_DATABASE_URL', start: startForeign }] : []),
]

/** Both servers of the matrix, for tests that need the server's process or directory in their hands. */
export const binariesUnderTest: readonly { readonly name: string; readonly binaries: PostgresBinaries | null }[] = [
  { name: 'embedded 18', binaries: null },
  ...(existsSync(join(DEBIAN_15, 'postgres')) ? [{ name: 'PostgreSQL 15', binaries: debian15 }] : []),
]

async function startPrivate(binaries?: PostgresBinaries): Promise<RunningServer> {
  const directory = await mkdtemp(join(tmpdir(), 'medley-port-'))
  // Under root a server older than 16 must be able to walk to its cluster.
  await chmod(directory, 0o711)
  const server: EmbeddedPostgres = await startEmbedded({
    directory,
    durable: false,
    ...(binaries === undefined ? {} : { binaries }),
  })
  return {
    database: () => createDatabase(server.superuser, server.connection),
    asSuperuser: (connection) => ({ ...server.superuser, database: connection.database }),
    async stop() {
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Someone's own server: the URL's role must be a superuser, as the suite makes databases and roles. */
async function startForeign(): Promise<RunningServer> {
  const url = new URL(process.env.MEDLEY_TEST_DATABASE_URL ?? '')
  const superuser: StoreConnection = {
    host: url.hostname,
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: url.pathname.slice(1),
  }
  const role = `medley_port_${process.pid}`
  await asAdministrator(superuser, `create role ${role} login password 'port-suite-only'`)
  return {
    database: () => createDatabase(superuser, { ...superuser, user: role, password: 'port-suite-only' }),
    asSuperuser: (connection) => ({ ...superuser, database: connection.database }),
    stop: () => Promise.resolve(),
  }
}

let databases = 0

async function createDatabase(superuser: StoreConnection, as: StoreConnection): Promise<StoreConnection> {
  databases += 1
  const database = `medley_port_${process.pid}_${databases}`
  await asAdministrator(superuser, `create database ${database} owner ${as.user}`)
  return { ...as, database }
}

async function asAdministrator(superuser: StoreConnection, statement: string): Promise<void> {
  const store = openStore({ connection: superuser, maxConnections: 1 })
  try {
    await store.pool.query(statement)
  } finally {
    await store.close()
  }
}
