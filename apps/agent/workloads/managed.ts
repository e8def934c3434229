import type { LocalExecutor } from '@medley/executor-local'
import type { Workload, WorkloadState, WorkloadStatus } from '@medley/fleet/protocol'
import { AppError, type Clock, type ErrorParams } from '@medley/kernel'
import type { runQuickProving } from '@medley/proving'
import type { EngineAdapter } from '@medley/serving'
import type { z } from 'zod'
import type { AgentLimits } from '../config.ts'
import { agentErrors } from '../errors.ts'

/** One workload that the agent looks after. */
export interface Managed {
  readonly digest: string
  /** Resolves when it is known whether its process was running already. */
  readonly settled: Promise<void>
  status(): WorkloadStatus
  /** Ends it gracefully and for good. */
  stop(): Promise<void>
  /** Stops looking after it; its process goes on and can be adopted. */
  release(): void
}

export interface WorkloadDeps {
  readonly executor: LocalExecutor
  readonly adapters: ReadonlyMap<string, EngineAdapter>
  readonly prove: typeof runQuickProving
  readonly limits: AgentLimits
  readonly heartbeatFile: string
  readonly clock: Clock
  readonly log: (event: string, fields: Readonly<Record<string, unknown>>) => void
  /** Called whenever a status may have become another. */
  readonly onChange: () => void
}

export interface StatusBoard {
  read(): WorkloadStatus
  update(change: Partial<Omit<WorkloadStatus, 'id' | 'digest'>>): void
}

/** Holds one status and tells when it really changed: health answers repeat, reports should not. */
export function createStatusBoard(workload: Workload, state: WorkloadState, onChange: () => void): StatusBoard {
  let status: WorkloadStatus = {
    id: workload.id,
    digest: workload.digest,
    state,
    endpoint: null,
    restarts: 0,
    error: null,
    progress: null,
    result: null,
  }
  return {
    read: () => status,
    update: (change) => {
      const next = { ...status, ...change }
      if (JSON.stringify(next) === JSON.stringify(status)) return
      status = next
      onChange()
    },
  }
}

export type StatusError = NonNullable<WorkloadStatus['error']>

export function statusError(code: string, params: ErrorParams): StatusError {
  return { code, params: Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)])) }
}

/** Any thrown thing as code and parameters; an unexpected one becomes `agent.workload.failed`. */
export function errorOf(thrown: unknown): StatusError {
  const error = thrown instanceof AppError ? thrown : agentErrors['workload.failed']({ message: messageOf(thrown) })
  return statusError(error.code, error.detail === null ? error.params : { ...error.params, detail: error.detail })
}

export function messageOf(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).slice(0, 300)
}

/** The spec as its schema reads it. @throws `agent.spec.invalid` naming the first fault. */
export function parseSpec<Schema extends z.ZodType>(schema: Schema, spec: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(spec)
  if (parsed.success) return parsed.data
  throw agentErrors['spec.invalid']({ path: parsed.error.issues[0]?.path.join('.') ?? '' })
}
