import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { EngineAdapter, EngineVersion } from '@medley/serving'
import { errors } from '../errors.ts'
import { readInstalledVersion } from './installed-version.ts'

/** `sun_path` of Linux has 108 bytes with its final zero; macOS is shorter still, and says so itself. */
const SOCKET_PATH_LIMIT_BYTES = 107
/** Under heavy load a child has been seen to need 36 s; the rest is for larger models. */
const READY_TIMEOUT_MS = 120_000

/** The weights live outside of V8's heap; its nursery would only grow while the model's vocabulary is read. Saves 38 MB. */
const SMALL_HEAP = '--max-semi-space-size=2'

export interface LlamaCppAdapterOptions {
  /** Entry file of the child; a packed form has its own. */
  readonly entry?: string
}

/** The engine family `llama-cpp`: one child process per replica, reached over a Unix socket in its run directory. */
export function createLlamaCppAdapter(options: LlamaCppAdapterOptions = {}): EngineAdapter {
  const entry = options.entry ?? fileURLToPath(new URL('../child.ts', import.meta.url))
  let version: Promise<EngineVersion> | null = null
  return {
    family: 'llama-cpp',
    version() {
      version ??= readInstalledVersion()
      return version
    },
    /**
     * Writes the specification into `runDirectory`, readable by this user only.
     *
     * @throws {AppError} `engine.socket.path-too-long`.
     */
    plan(spec, runDirectory) {
      const socketPath = join(runDirectory, 'engine.sock')
      if (Buffer.byteLength(socketPath) > SOCKET_PATH_LIMIT_BYTES) {
        throw errors['socket.path-too-long']({ path: socketPath, limit: SOCKET_PATH_LIMIT_BYTES })
      }
      mkdirSync(runDirectory, { recursive: true, mode: 0o700 })
      const specPath = join(runDirectory, 'spec.json')
      writePrivately(specPath, JSON.stringify(spec, null, 2))
      return {
        command: process.execPath,
        args: [SMALL_HEAP, entry],
        env: { MEDLEY_ENGINE_SPEC: specPath, MEDLEY_ENGINE_SOCKET: socketPath },
        endpoint: `unix:${socketPath}`,
        readyTimeoutMs: READY_TIMEOUT_MS,
      }
    },
  }
}

/** Through a temporary name, so that a child which starts meanwhile never reads half a file. */
function writePrivately(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, text, { mode: 0o600 })
  chmodSync(temporary, 0o600)
  renameSync(temporary, path)
}
