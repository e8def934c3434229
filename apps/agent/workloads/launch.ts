import { mkdir } from 'node:fs/promises'
import type { Launch } from '@medley/executor-local'
import { engineSpec } from '@medley/serving/protocol'
import { agentErrors } from '../errors.ts'
import { parseSpec, type WorkloadDeps } from './managed.ts'

export interface PlannedEngine {
  readonly launch: Launch
  readonly endpoint: string
  readonly readyTimeoutMs: number
}

/**
 * What to start for an engine spec. The workload's digest is part of the launch, so that a living process of an
 * older spec is never taken for the one that is wanted.
 *
 * @throws `agent.spec.invalid`, `agent.family.unknown`, and whatever the adapter refuses.
 */
export async function planEngine(
  deps: Pick<WorkloadDeps, 'adapters' | 'limits' | 'heartbeatFile'>,
  work: { readonly spec: unknown; readonly digest: string; readonly directory: string },
): Promise<PlannedEngine> {
  const spec = parseSpec(engineSpec, work.spec)
  const adapter = deps.adapters.get(spec.family)
  if (!adapter) throw agentErrors['family.unknown']({ family: spec.family })
  await mkdir(work.directory, { recursive: true, mode: 0o700 })
  const plan = adapter.plan(spec, work.directory)
  const env = { ...plan.env, MEDLEY_HEARTBEAT_FILE: deps.heartbeatFile, MEDLEY_WORKLOAD_DIGEST: work.digest }
  return {
    launch: { command: plan.command, args: plan.args, env },
    endpoint: plan.endpoint,
    readyTimeoutMs: Math.max(plan.readyTimeoutMs, deps.limits.readyTimeoutMs),
  }
}
