import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { type Workload, type WorkloadStatus, workloadStatus } from '@medley/fleet/protocol'
import type { MeasuredEngine } from '@medley/proving'
import { provingSpec } from '@medley/proving/protocol'
import { z } from 'zod'
import { agentErrors } from '../errors.ts'
import { callEngine, type EngineHealth } from './engine-client.ts'
import { planEngine } from './launch.ts'
import { createStatusBoard, errorOf, type Managed, parseSpec, type WorkloadDeps } from './managed.ts'
import { watchEngine } from './watch.ts'

/**
 * Runs one proving run once. Its outcome is kept on disk beside the run until the server no longer wants it, so an
 * agent that restarts between the end and the report does not measure again.
 */
export function createProvingWorkload(deps: WorkloadDeps, workload: Workload, directory: string): Managed {
  const board = createStatusBoard(workload, 'starting', deps.onChange)
  const calledOff = new AbortController()
  let released = false

  const run = async (): Promise<void> => {
    const kept = await readOutcome(directory, workload)
    if (kept) return board.update(kept)
    const spec = parseSpec(provingSpec, workload.spec)
    // The engine of a run that an earlier agent did not finish would disturb the probe.
    await (await deps.executor.adopt(directory))?.stop(0)
    const result = await deps.prove(spec, {
      startEngine: (engine, signal) => startEngine(deps, { spec: engine, digest: workload.digest, directory }, signal),
      onProgress: (progress) => board.update({ state: 'checking', progress }),
      clock: deps.clock,
      signal: calledOff.signal,
    })
    board.update({ state: 'done', progress: null, result: z.json().parse(result) })
    await writeOutcome(directory, board.read())
  }
  const done = run().catch((error: unknown) => {
    if (calledOff.signal.aborted) return
    deps.log('proving failed', { workload: workload.id, error: errorOf(error) })
    board.update({ state: 'failed', progress: null, error: errorOf(error) })
  })

  return {
    digest: workload.digest,
    settled: Promise.resolve(),
    status: board.read,
    stop: async () => {
      calledOff.abort()
      await done
      if (!released) board.update({ state: 'stopped' })
    },
    release: () => {
      released = true
      calledOff.abort()
    },
  }
}

/** Starts the engine under test and waits until it is ready; ends it when that fails or `signal` aborts. */
async function startEngine(
  deps: WorkloadDeps,
  work: { readonly spec: unknown; readonly digest: string; readonly directory: string },
  signal: AbortSignal,
): Promise<MeasuredEngine> {
  const planned = await planEngine(deps, work)
  const process = await deps.executor.start(work.directory, planned.launch)
  const watch = new AbortController()
  const ready = Promise.withResolvers<EngineHealth>()
  const watching = watchEngine({
    process,
    endpoint: planned.endpoint,
    readyTimeoutMs: planned.readyTimeoutMs,
    limits: deps.limits,
    signal: AbortSignal.any([signal, watch.signal]),
    onHealth: (health) => {
      if (health.state === 'ready') ready.resolve(health)
    },
  })
  const first = await Promise.race([ready.promise, watching])
  if ('kind' in first) {
    const line = (await process.lastLogLine()) ?? ''
    await process.stop(0)
    throw agentErrors['engine.exited']({ reason: first.kind, line })
  }
  return {
    facts: () => first.facts,
    measure: async (body, measuring) => {
      const answer = await callEngine(planned.endpoint, { path: '/internal/measure', body, signal: measuring })
      if (answer.status !== 200) throw agentErrors['engine.request-failed']({ status: answer.status })
      return answer.body
    },
    stop: async () => {
      watch.abort()
      await watching
      await process.stop(Math.min(5_000, deps.limits.stopGraceMs))
    },
  }
}

const OUTCOME = 'outcome.json'

async function readOutcome(directory: string, workload: Workload): Promise<WorkloadStatus | null> {
  try {
    const kept = workloadStatus.parse(JSON.parse(await readFile(path.join(directory, OUTCOME), 'utf8')))
    return kept.id === workload.id && kept.digest === workload.digest ? kept : null
  } catch {
    return null
  }
}

async function writeOutcome(directory: string, status: WorkloadStatus): Promise<void> {
  const file = path.join(directory, OUTCOME)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await writeFile(`${file}.tmp`, JSON.stringify(status), { mode: 0o600 })
  await rename(`${file}.tmp`, file)
}
