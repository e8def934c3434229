import type { DeploymentState, RevisionSpec } from './domain/revision.ts'
import type { EngineFacts } from './protocol.ts'

export interface ReplicaView {
  readonly id: string
  readonly chipUuids: readonly string[]
  readonly state: string
  readonly endpoint: string | null
  readonly restarts: number
  readonly error: { readonly code: string; readonly params: Readonly<Record<string, string>> } | null
  readonly progress: { step: string; done: number; total: number | null; unit: string } | null
  readonly facts: EngineFacts | null
}

/** What a deployment was at one time; it never changes, so an answer of long ago can still be traced. */
export interface RevisionView {
  readonly id: string
  readonly deployment: { readonly id: string; readonly name: string }
  readonly digest: string
  readonly createdAt: Date
  readonly spec: RevisionSpec
  /** Whether the deployment is still in this form. */
  readonly current: boolean
}

export interface DeploymentView {
  readonly id: string
  readonly name: string
  readonly servedModel: string
  readonly state: DeploymentState
  readonly revision: {
    readonly id: string
    readonly digest: string
    readonly createdAt: Date
    readonly spec: RevisionSpec
  }
  readonly replicas: readonly ReplicaView[]
  readonly createdAt: Date
}

/** What a node's agent says of one of its replicas. */
export interface ReplicaObservation {
  readonly id: string
  readonly state: string
  readonly endpoint: string | null
  readonly restarts: number
  readonly error: { readonly code: string; readonly params: Readonly<Record<string, string>> } | null
  readonly progress: { step: string; done: number; total: number | null; unit: string } | null
  readonly result: unknown
}
