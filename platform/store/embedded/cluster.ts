import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, lstat, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { storeErrors } from '../errors.ts'
import type { PostgresBinaries } from './binaries.ts'
import type { ProcessUser } from './process-user.ts'

/** Passwords of the two roles of an embedded cluster; only the owner of the directory can read them. */
export interface Credentials {
  readonly superuserPassword: string
  readonly password: string
}

export interface ClusterPlace {
  readonly directory: string
  readonly binaries: PostgresBinaries
  readonly user: ProcessUser | null
}

export const CLUSTER = 'cluster'
export const DATABASE = 'medley'
export const ROLE = 'medley'
export const SUPERUSER = 'postgres'

/** The unix socket is private to the directory already; the password keeps out others of a shared account. */
const HBA = 'local all all scram-sha-256\n'

/**
 * Makes the cluster with its roles and its database at the first start. It grows under another name and appears by
 * one rename, with the passwords already on disk: a kill at any moment leaves the whole or nothing.
 */
export async function ensureCluster(place: ClusterPlace): Promise<Credentials> {
  const cluster = join(place.directory, CLUSTER)
  const draft = `${cluster}.new`
  if ((await lstat(cluster).catch(() => null)) !== null) return await readCredentials(place.directory)
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { mode: 0o700 })
  if (place.user !== null) await chown(draft, place.user.uid, place.user.gid)
  const credentials = { superuserPassword: secret(), password: secret() }
  await writeDurably(join(place.directory, 'credentials.json'), JSON.stringify(credentials))
  await initialise(place, draft, credentials)
  await rename(draft, cluster)
  await syncDirectory(place.directory)
  return credentials
}

export async function readCredentials(directory: string): Promise<Credentials> {
  const read: unknown = JSON.parse(await readFile(join(directory, 'credentials.json'), 'utf8'))
  const { superuserPassword, password } = read as Partial<Record<keyof Credentials, unknown>>
  if (typeof superuserPassword !== 'string' || typeof password !== 'string') {
    throw storeErrors.start_failed({ reason: 'credentials.json is damaged' })
  }
  return { superuserPassword, password }
}

/**
 * How a program names the cluster it stands in. After dropping root a folder above it may be closed (a home of mode
 * 0700), and no absolute path leads to it any more; the kernel's link to the current directory still does. Before 16
 * PostgreSQL leaves that directory while it looks for itself, and then needs a path that is open.
 */
export function clusterArgument(cluster: string, { user, binaries }: Omit<ClusterPlace, 'directory'>): string {
  const isLinked = user !== null && process.platform === 'linux' && binaries.majorVersion >= 16
  return isLinked ? '/proc/self/cwd' : cluster
}

export function childEnvironment(binaries: PostgresBinaries): Record<string, string> {
  const { libraryDirectory } = binaries
  const variable = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH'
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    LC_ALL: 'C',
    TZ: 'UTC',
    ...(libraryDirectory === null ? {} : { [variable]: libraryDirectory }),
  }
}

async function initialise(place: ClusterPlace, draft: string, credentials: Credentials): Promise<void> {
  const { binaries } = place
  const data = clusterArgument(draft, place)
  const locale = binaries.majorVersion >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : []
  const common = ['-U', SUPERUSER, '-A', 'peer', '-E', 'UTF8', '--locale=C', '--no-instructions']
  await runProgram(place, draft, 'initdb', ['-D', data, ...common, ...locale], '')
  // Single-user mode: no socket is open while the roles have no password yet.
  const statements = [
    `alter role ${SUPERUSER} password '${credentials.superuserPassword}'`,
    `create role ${ROLE} login password '${credentials.password}'`,
    `create database ${DATABASE} owner ${ROLE}`,
  ]
  await runProgram(place, draft, 'postgres', ['--single', '-D', data, 'postgres'], `${statements.join('\n')}\n`)
  await writeFile(join(draft, 'pg_hba.conf'), HBA, { flush: true })
}

async function runProgram(
  { binaries, user }: ClusterPlace,
  cwd: string,
  program: string,
  args: readonly string[],
  input: string,
): Promise<void> {
  const options = { cwd, env: childEnvironment(binaries), maxBuffer: 1 << 22, ...user }
  await new Promise<void>((resolve, reject) => {
    const child = execFile(join(binaries.binDirectory, program), [...args], options, (error, _output, stderr) => {
      // Single-user mode reports a failed statement on stderr and still exits 0.
      const failed = error !== null || /^.*\b(ERROR|FATAL|PANIC):/m.test(stderr)
      if (failed) reject(storeErrors.start_failed({ reason: lastLine(stderr) }, { detail: program, cause: error }))
      else resolve()
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}

/** Hexadecimal, so that it needs no quoting anywhere. */
function secret(): string {
  return randomBytes(24).toString('hex')
}

async function writeDurably(path: string, text: string): Promise<void> {
  const draft = `${path}.new`
  const file = await open(draft, 'w', 0o600)
  await file.writeFile(text)
  await file.sync()
  await file.close()
  await rename(draft, path)
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  await directory.sync()
  await directory.close()
}
