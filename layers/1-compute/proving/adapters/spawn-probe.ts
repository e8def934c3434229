import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { provingErrors } from '../errors.ts'
import { type ProbeResult, probeResult } from '../protocol.ts'

/** Longest the probe may take; it needs about 8 s on a quiet machine and is bounded by its samples' windows. */
const PROBE_TIMEOUT_MS = 20_000
const MOST_OUTPUT = 1024 * 1024

export interface SpawnProbeOptions {
  readonly threads: number
  readonly signal: AbortSignal
  /** Program of the probe; a packed product passes its own bundle of `probe-child`. */
  readonly entry?: URL
}

/**
 * Measures the sustained peaks of this machine in a process of its own.
 *
 * @throws `proving.probe.failed` when it ends badly, is too slow or prints something else.
 */
export async function spawnProbe(options: SpawnProbeOptions): Promise<ProbeResult> {
  try {
    return probeResult.parse(JSON.parse(await outputOf(options)))
  } catch (error) {
    throw provingErrors['probe.failed'](
      {},
      { detail: error instanceof Error ? error.message : String(error), cause: error },
    )
  }
}

function outputOf({ threads, signal, entry = defaultEntry() }: SpawnProbeOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(entry), '--threads', String(threads)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]),
      killSignal: 'SIGKILL',
    })
    let stdout = ''
    let stderr = ''
    let failure: Error | null = null
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(0, MOST_OUTPUT)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-2000)
    })
    child.on('error', (error) => {
      failure = error
      // A program that never started has no `close`; one that was aborted is waited for, so that it is gone.
      if (child.pid === undefined) reject(error)
    })
    child.on('close', (code, name) => {
      if (failure === null && code === 0) resolve(stdout)
      else reject(failure ?? new Error(`exit code ${code}, signal ${name}: ${stderr.trim()}`))
    })
  })
}

function defaultEntry(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './probe-child.ts' : './probe-child.js', import.meta.url)
}
