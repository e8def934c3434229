import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstat, mkdir, readlink, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { storeErrors } from '../errors.ts'
import { errorCode, isConnectionLoss } from '../failure.ts'
import type { StoreConnection } from '../ports.ts'
import { locateBinaries, type PostgresBinaries } from './binaries.ts'
import {
  CLUSTER,
  type Credentials,
  childEnvironment,
  clusterArgument,
  DATABASE,
  ensureCluster,
  ROLE,
  readCredentials,
  SUPERUSER,
} from './cluster.ts'
import { claimDirectory, reapOrphans, releaseDirectory } from './owner.ts'
import { chooseProcessUser } from './process-user.ts'

export interface EmbeddedOptions {
  /** Private to the embedded server; made when missing. */
  readonly directory: string
  /** Another installation than the npm package's, such as a distribution's. */
  readonly binaries?: PostgresBinaries
  /** False only in tests: survives a killed process but not a power cut. */
  readonly durable?: boolean
}

/** How to run the server in the foreground. Spawn it in exactly this `cwd`: the arguments lean on it. */
export interface PostgresPlan {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly uid?: number
  readonly gid?: number
  /** As the program's own role, which owns the database and is subject to row-level security. */
  readonly connection: StoreConnection
}

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  unix_socket_directories: '.',
  unix_socket_permissions: '0700',
  max_connections: '60',
  shared_buffers: '32MB',
  min_wal_size: '32MB',
  max_wal_size: '256MB',
  // One machine, no replicas: their helpers and log volume are not needed.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  // Deadlocks are repeated by the store: the sooner one is noticed the better.
  deadlock_timeout: '250ms',
  // A forgotten open transaction would hold back the outbox and vacuum.
  idle_in_transaction_session_timeout: '5min',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
}

/** Longest path of a unix socket on the strictest of our platforms (macOS 104 bytes with the final zero). */
const SOCKET_PATH_BYTES = 103
const SOCKET_NAME = '.s.PGSQL.5432'

/**
 * Makes everything ready for a supervisor to spawn, restart and stop (SIGINT) the server itself: binaries, cluster,
 * and no predecessor running. Call it once per start of the supervisor, which owns the directory as long as it
 * lives; the plan stays valid for any number of restarts. A start right after a kill may exit once or twice with
 * `lock file "postmaster.pid" already exists` until the last backend is gone.
 *
 * @throws store.in_use, store.platform_unsupported, store.no_unprivileged_user, store.start_failed
 */
export async function preparePostgres(options: EmbeddedOptions): Promise<PostgresPlan> {
  const directory = resolve(options.directory)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await claimDirectory(directory)
  await reapOrphans(directory)
  const cluster = join(directory, CLUSTER)
  const user = chooseProcessUser(cluster)
  const binaries = options.binaries ?? (await locateBinaries(user, directory))
  const credentials = await ensureCluster({ directory, binaries, user })
  const settings = {
    ...SETTINGS,
    // Saves the three input/output processes that 18 starts by default.
    ...(binaries.majorVersion >= 18 ? { io_method: 'sync' } : {}),
    ...(options.durable === false ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  }
  return {
    command: join(binaries.binDirectory, 'postgres'),
    args: [
      '-D',
      clusterArgument(cluster, { user, binaries }),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    env: childEnvironment(binaries),
    cwd: cluster,
    ...(user ?? {}),
    connection: connectionTo(await socketDirectory(cluster), ROLE, credentials.password, DATABASE),
  }
}

/** The connection of an embedded server that another process of this account runs in `directory`. */
export async function embeddedConnection(directory: string): Promise<StoreConnection> {
  const credentials = await readCredentials(resolve(directory))
  return connectionTo(await socketDirectory(join(resolve(directory), CLUSTER)), ROLE, credentials.password, DATABASE)
}

export interface EmbeddedPostgres {
  readonly connection: StoreConnection
  /** As the superuser: to make databases in tests, and for repairs. */
  readonly superuser: StoreConnection
  readonly pid: number
  /** Fast shutdown; resolves when the process is gone. */
  stop(): Promise<void>
}

/** Starts the server as a child of this process and waits until it answers. For tests and one-off programs. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const plan = await preparePostgres(options)
  const directory = resolve(options.directory)
  const credentials: Credentials = await readCredentials(directory)
  const superuser = connectionTo(plan.connection.host, SUPERUSER, credentials.superuserPassword, 'postgres')
  const { command, args, env, cwd, uid, gid } = plan
  const ids = uid === undefined || gid === undefined ? {} : { uid, gid }
  for (let attempt = 1; ; attempt += 1) {
    const child = spawn(command, [...args], { env, cwd, ...ids, stdio: ['ignore', 'ignore', 'pipe'] })
    const failure = await untilReady(child, plan.connection)
    if (failure === null) {
      const stop = () => stopChild(child).then(() => releaseDirectory(directory))
      return { connection: plan.connection, superuser, pid: child.pid ?? 0, stop }
    }
    // A killed predecessor's last backend still holds the shared memory.
    if (attempt >= 40 || !/already exists|still in use/.test(failure)) {
      await releaseDirectory(directory)
      throw storeErrors.start_failed({ reason: failure })
    }
    await delay(250)
  }
}

/** @returns null once a connection was accepted, or what the server said before it ended. */
async function untilReady(child: ChildProcess, connection: StoreConnection): Promise<string | null> {
  let words = ''
  let ended = false
  child.stderr?.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(-2_000)
  })
  child.on('error', (error) => {
    words += error.message
    ended = true
  })
  child.on('close', () => {
    ended = true
  })
  while (!ended) {
    if (await accepts(connection)) return null
    await delay(25)
  }
  return words.trim()
}

async function accepts(connection: StoreConnection): Promise<boolean> {
  const client = new Client({ ...connection, connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return true
  } catch (error) {
    if (isConnectionLoss(error)) return false
    throw error
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>((done) => child.once('exit', () => done()))
  child.kill('SIGINT')
  const impatience = setTimeout(() => child.kill('SIGQUIT'), 20_000)
  await gone
  clearTimeout(impatience)
}

function connectionTo(host: string, user: string, password: string, database: string): StoreConnection {
  return { host, port: 5432, user, password, database }
}

/**
 * The folder as clients name it: the cluster's own, or where the kernel's limit on socket paths forbids that, a
 * short link to it. The link gives no rights; the folder behind it stays closed to others.
 */
async function socketDirectory(cluster: string): Promise<string> {
  if (Buffer.byteLength(join(cluster, SOCKET_NAME)) <= SOCKET_PATH_BYTES) return cluster
  const name = createHash('sha256').update(cluster).digest('hex').slice(0, 16)
  const parent = join(tmpdir(), `medley-${process.getuid?.() ?? 0}`)
  await mkdir(parent, { mode: 0o700 }).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error
  })
  const { uid } = await lstat(parent)
  // Someone else's folder of that name could lead our password to their server.
  if (uid !== process.getuid?.()) throw storeErrors.start_failed({ reason: `${parent} belongs to another user` })
  const link = join(parent, name)
  if ((await readlink(link).catch(() => null)) !== cluster) {
    await rm(link, { force: true })
    await symlink(cluster, link)
  }
  return link
}
