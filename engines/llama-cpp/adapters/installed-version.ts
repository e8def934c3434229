import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { EngineVersion } from '@medley/serving'
import { z } from 'zod'

const packageFile = z.object({ version: z.string() })
const releaseFile = z.object({ release: z.string() })

/** Names of the library's binary packages for this platform; the first that is installed is what it loads. */
const PLATFORM: Readonly<Record<string, string>> = { darwin: 'mac', linux: 'linux', win32: 'win' }

/**
 * Reads from the installed files what an engine started now would be, without loading the library: that would cost the
 * agent more memory than the rest of it. Reads all binaries once, some 30 MB.
 *
 * @throws {Error} when the library is not installed.
 */
export async function readInstalledVersion(): Promise<EngineVersion> {
  const require = createRequire(import.meta.url)
  const library = dirname(dirname(require.resolve('node-llama-cpp')))
  const { version } = packageFile.parse(await readJson(join(library, 'package.json')))
  const { release } = releaseFile.parse(await readJson(join(library, 'llama', 'binariesGithubRelease.json')))
  const directory = platformPackage(library)
  return {
    version: `node-llama-cpp ${version} / llama.cpp ${release}`,
    binaryDigest: directory === null ? null : await digestOfTree(join(directory, 'bins')),
  }
}

function platformPackage(library: string): string | null {
  const require = createRequire(join(library, 'package.json'))
  const platform = `${PLATFORM[process.platform] ?? process.platform}-${process.arch}`
  for (const name of [platform, `${platform}-metal`]) {
    try {
      return dirname(dirname(require.resolve(`@node-llama-cpp/${name}`)))
    } catch {
      // Not installed; the next one may be.
    }
  }
  return null
}

/** One digest over all files in the order of their paths, whatever the file system's own order. */
async function digestOfTree(directory: string): Promise<string | null> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  if (paths.length === 0) return null
  const total = createHash('sha256')
  for (const path of paths.sort()) {
    const hash = createHash('sha256')
    await pipeline(createReadStream(path), hash)
    total.update(`${relative(directory, path).replaceAll('\\', '/')} ${hash.digest('hex')}\n`)
  }
  return `sha256:${total.digest('hex')}`
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'))
}
