import { type Digest, digestOf, type Json } from '@medley/kernel'

/**
 * Everything that decides what an answer looks like. A change of any of it is a new revision; the digest of the
 * whole is what an answer is traced to.
 */
export interface RevisionSpec {
  readonly model: { readonly name: string; readonly digest: string; readonly bytes: number; readonly path: string }
  readonly template: {
    readonly name: string
    readonly text: string
    readonly systemPrompt: string | null
    readonly stop: readonly string[]
  }
  /** The build as the node's agent offered it; null is unknown. */
  readonly engine: { readonly family: string; readonly version: string | null; readonly binaryDigest: string | null }
  readonly config: {
    readonly slots: number
    readonly contextTokens: number
    readonly threads: number
    readonly batchTokens: number
    readonly flashAttention: boolean
    readonly promptLookup: { readonly minTokens: number; readonly maxTokens: number } | null
    readonly maxQueue: number
  }
  readonly golden: { readonly question: string; readonly mustContain: string; readonly maxTokens: number } | null
  readonly chipUuids: readonly string[]
  readonly capabilities: readonly ('chat' | 'completion' | 'embedding')[]
  /** Digest of the tuned configuration this revision was made from; null until a recipe was applied. */
  readonly recipeDigest: Digest | null
}

/** Where the model file lies differs between nodes and says nothing of the answer, so it stays out of the digest. */
export function revisionDigest(spec: RevisionSpec): Digest {
  const { path: _path, ...model } = spec.model
  const digestible: Json = {
    ...spec,
    model,
    config: { ...spec.config },
    template: { ...spec.template },
    engine: { ...spec.engine },
    golden: spec.golden && { ...spec.golden },
  }
  return digestOf(digestible)
}

export type DeploymentState = 'pending' | 'starting' | 'checking' | 'ready' | 'degraded' | 'failed' | 'stopped'

/** The deployment's state as the worst-informed reader should see it: ready only when a replica answers. */
export function deploymentState(desired: 'running' | 'stopped', replicaStates: readonly string[]): DeploymentState {
  if (desired === 'stopped') return 'stopped'
  if (replicaStates.length === 0) return 'pending'
  const ready = replicaStates.filter((state) => state === 'ready').length
  if (ready === replicaStates.length) return 'ready'
  if (ready > 0) return 'degraded'
  if (replicaStates.every((state) => state === 'failed')) return 'failed'
  if (replicaStates.includes('restarting')) return 'degraded'
  return replicaStates.includes('checking') ? 'checking' : 'starting'
}
