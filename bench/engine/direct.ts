import { readdir, readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type EngineHealth,
  engineHealth,
  type MeasureRequest,
  type MeasureResult,
  measureResult,
} from '@medley/engine-llama-cpp/protocol'
import { type EngineSpec, engineSpec } from '@medley/serving/protocol'
import { z } from 'zod'

/** The engine process behind the gateway, asked on its own socket. */
export interface DirectEngine {
  readonly spec: EngineSpec
  health(): Promise<EngineHealth>
  /** Drives the slots inside the process, without HTTP: one group of streams. */
  measure(asked: { promptTokens: number; generateTokens: number; concurrency: number }): Promise<DirectRun>
}

export type DirectRun = MeasureResult['repeats'][number]

const agentConfig = z.object({ runDirectory: z.string() })
const BUSY_STATUS = 409
const BUSY_TRIES = 100
const BUSY_WAIT_MS = 20

/**
 * Finds the engine of a running factory that serves this model.
 *
 * @throws {Error} when none does.
 */
export async function findEngine(data: string, servedModel: string): Promise<DirectEngine> {
  const { runDirectory } = agentConfig.parse(await readJson(join(data, 'run', 'agent.json')))
  const work = join(runDirectory, 'w')
  for (const name of await readdir(work)) {
    const spec = engineSpec.safeParse(await readJson(join(work, name, 'spec.json')).catch(() => null))
    if (spec.success && spec.data.servedModel === servedModel)
      return connect(join(work, name, 'engine.sock'), spec.data)
  }
  throw new Error(`no engine below ${work} serves ${servedModel}`)
}

function connect(socketPath: string, spec: EngineSpec): DirectEngine {
  return {
    spec,
    async health() {
      return engineHealth.parse(JSON.parse((await ask(socketPath, 'GET', '/health', '')).text))
    },
    async measure(asked) {
      const body: MeasureRequest = { ...asked, repeats: 1, warmup: 0 }
      for (let tries = 0; ; tries += 1) {
        const { status, text } = await ask(socketPath, 'POST', '/internal/measure', JSON.stringify(body))
        const run = status === 200 ? measureResult.parse(JSON.parse(text)).repeats[0] : undefined
        if (run !== undefined && !run.disturbed) return run
        // The slot of a finished answer is given back a moment after its last byte.
        const busy = status === BUSY_STATUS || run?.disturbed === true
        if (!busy || tries >= BUSY_TRIES) throw new Error(`the engine did not measure: ${status} ${text}`)
        await sleep(BUSY_WAIT_MS)
      }
    },
  }
}

function ask(socketPath: string, method: string, path: string, body: string) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const call = request({ socketPath, method, path, headers: { 'content-type': 'application/json' } }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => (text += piece))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      response.on('error', reject)
    })
    call.on('error', reject)
    call.end(body)
  })
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'))
}
