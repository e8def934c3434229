import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { withoutCredentials } from '../domain/source-order.ts'
import type { CommandResult, Environment, RunCommand } from '../ports.ts'
import { isCode } from './file-bytes.ts'

export interface PipRequest {
  readonly requirement: string
  /** Receives the wheel. */
  readonly directory: string
  readonly env: Environment
  readonly run: RunCommand
  readonly signal: AbortSignal
  readonly onBytes: (done: number) => void
}

const PIPS: readonly (readonly [command: string, ...args: string[]])[] = [
  ['python3', '-m', 'pip'],
  ['python', '-m', 'pip'],
  ['pip3'],
  ['pip'],
]

const POLL_MS = 200

/**
 * Downloads one wheel, and no dependency of it, with the pip of this machine and its configured index.
 *
 * @throws {Error} where there is no pip or pip failed, with pip's own words.
 */
export async function pipDownload(request: PipRequest): Promise<void> {
  // pip downloads into its temporary folder and copies at the end: a folder of our own is where progress shows.
  const temporary = join(request.directory, 'tmp')
  await mkdir(temporary, { recursive: true })
  const polling = setInterval(() => {
    wheelBytes(request.directory).then(request.onBytes, () => undefined)
  }, POLL_MS)
  try {
    await withAnyPip(request, { ...request.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary })
  } finally {
    clearInterval(polling)
  }
  await rm(temporary, { recursive: true, force: true })
}

async function withAnyPip(request: PipRequest, env: Environment): Promise<void> {
  for (const [command, ...leading] of PIPS) {
    const result = await tryPip(request, env, command, leading)
    if (result === null) continue
    if (result.exitCode === 0) return
    throw new Error(withoutCredentials(lastWords(result)))
  }
  throw new Error('no python3 with pip was found')
}

/** Null where this pip does not exist. */
async function tryPip(
  request: PipRequest,
  env: Environment,
  command: string,
  leading: readonly string[],
): Promise<CommandResult | null> {
  const options = ['--disable-pip-version-check', '--no-input', '--progress-bar', 'off', '--retries', '2']
  const wanted = ['--no-deps', '--only-binary=:all:', '-d', request.directory, request.requirement]
  try {
    const result = await request.run(command, [...leading, 'download', ...options, ...wanted], {
      env,
      signal: request.signal,
    })
    return result.exitCode !== 0 && /No module named .?pip/.test(result.stderr) ? null : result
  } catch (error) {
    request.signal.throwIfAborted()
    if (isCode(error, 'ENOENT') || isCode(error, 'EACCES')) return null
    throw error
  }
}

function lastWords(result: CommandResult): string {
  const lines = (result.stderr || result.stdout).split('\n').filter((line) => line.trim() !== '')
  const errors = lines.filter((line) => line.startsWith('ERROR:'))
  const words = (errors.length > 0 ? errors : lines).slice(-2).join(' ')
  return words.slice(0, 600) || `pip ended with code ${result.exitCode}`
}

async function wheelBytes(directory: string): Promise<number> {
  const names = await readdir(directory, { recursive: true })
  let most = 0
  for (const name of names.filter((each) => each.endsWith('.whl'))) {
    most = Math.max(most, (await stat(join(directory, name)).catch(() => null))?.size ?? 0)
  }
  return most
}
