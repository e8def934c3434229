import { setTimeout as sleep } from 'node:timers/promises'
import type { ChipView as Chip, Fleet } from '@medley/fleet'
import type { Json, TenantScope } from '@medley/kernel'
import type { Proving } from '@medley/proving'
import type { CatalogueEntry, Model, Registry } from '@medley/registry'
import type { DeploymentView, RevisionSpec, Serving } from '@medley/serving'
import type { EngineSpec } from '@medley/serving/protocol'
import type { BringUpTask } from './bring-up.ts'
import { serverErrors } from './errors.ts'
import type { Live, Topic } from './live.ts'
import type { Operations, OperationView } from './operations.ts'
import { provingSubject } from './orders.ts'
import type { OwnNodes } from './own-nodes.ts'

type PlannedEngine = Parameters<Proving['planQuickRun']>[1]
type EngineBuild = RevisionSpec['engine']

export interface StarterPorts {
  readonly fleet: Pick<Fleet, 'chips' | 'node' | 'chip'>
  /** Where the starter's work is done: it needs the files that this factory fetched. */
  readonly ownNodes: OwnNodes
  readonly registry: Registry
  readonly serving: Serving
  readonly proving: Proving
  readonly operations: Operations
  readonly live: Live
  readonly heardOf: (workloadId: string) => boolean
  readonly owner: TenantScope
  /** Whether the node has reported since this server started: what it said before may be of an older release. */
  readonly reported: (nodeId: string) => boolean
  /** Null: no starter model is wanted. */
  readonly model: string | null
  /** Whether a chip that has no score yet is measured at start. */
  readonly proveAtStart: boolean
}

export interface Starter {
  readonly tasks: readonly BringUpTask[]
  /** Begins a quick run on the chip, or gives the one that runs already. @throws AppError `server.model.not-ready` */
  prove(chip: Chip): Promise<OperationView>
}

const ENGINE_FAMILY = 'llama-cpp'
const POLL_MS = 2_000
const EVERYTHING = { all: true } as const

/** The four steps from an empty factory to its first answer. */
export function createStarter(ports: StarterPorts): Starter {
  const { fleet, registry, serving, proving, operations, live, owner } = ports

  /** Polls as well as listens: a change made by another server of the same store is not announced here. */
  async function until<Value>(
    topics: readonly Topic[],
    signal: AbortSignal,
    look: () => Promise<Value | null>,
  ): Promise<Value> {
    for (;;) {
      const change = new AbortController()
      const next = live.next(topics, AbortSignal.any([signal, change.signal]))
      const found = await look()
      if (found !== null) {
        change.abort()
        return found
      }
      await Promise.race([next, sleep(POLL_MS, undefined, { signal })])
      change.abort()
      signal.throwIfAborted()
    }
  }

  /** The chip the starter model runs on: the first healthy one every engine build can use, which is the CPU. */
  async function firstChip(): Promise<Chip | null> {
    for (const nodeId of ports.ownNodes.ids) {
      const filter = { nodeId, vendor: 'cpu', simulated: false }
      const chips = await fleet.chips({ viewer: EVERYTHING, after: null, limit: 100, filter })
      const found = chips.find(({ state, quarantine }) => state === 'healthy' && quarantine === null)
      if (found) return found
    }
    return null
  }

  async function starter(): Promise<{ entry: CatalogueEntry; model: Model } | null> {
    if (ports.model === null) return null
    const entry = registry.entry(ports.model)
    const model = await registry.get(owner, ports.model)
    return entry && model?.state === 'ready' ? { entry, model } : null
  }

  async function nodeOf(chipUuids: readonly string[]): Promise<string | null> {
    for (const uuid of chipUuids) {
      const chip = await fleet.chip(uuid, EVERYTHING).catch(() => null)
      if (chip && ports.ownNodes.ids.includes(chip.nodeId)) return chip.nodeId
    }
    return null
  }

  /** The build a node offers since this server runs: an upgrade changes both, and the node speaks up a moment later. */
  function offeredBuild(nodeId: string, family: string, signal: AbortSignal): Promise<EngineBuild> {
    return until(['chips', 'status'], signal, async () => {
      if (!ports.reported(nodeId)) return null
      const node = await fleet.node(nodeId, EVERYTHING)
      return node.facts.engines.find((build) => build.family === family) ?? unknownBuild(family)
    })
  }

  /** Deploys the same again where the node runs another build by now: answers of both must not share a revision. */
  async function renew(deployment: DeploymentView, signal: AbortSignal): Promise<boolean> {
    const { spec } = deployment.revision
    const nodeId = await nodeOf(spec.chipUuids)
    // What runs elsewhere is not the starter's to renew.
    if (nodeId === null) return false
    const engine = await offeredBuild(nodeId, spec.engine.family, signal)
    const { version, binaryDigest } = engine
    const same = version === spec.engine.version && binaryDigest === spec.engine.binaryDigest
    if (version === null || same) return false
    const { name, servedModel } = deployment
    const desired = deployment.state === 'stopped' ? 'stopped' : 'running'
    await serving.deploy(owner, { name, servedModel, nodeId, spec: { ...spec, engine }, desired })
    return true
  }

  function revisionFor(
    chip: Chip,
    { entry, model }: { entry: CatalogueEntry; model: Model },
    engine: EngineBuild,
  ): RevisionSpec {
    return {
      model: { name: model.name, digest: model.digest, bytes: model.bytes, path: model.path },
      template: entry.template,
      engine,
      config: { ...entry.config, threads: threadsOf(chip) },
      golden: entry.golden,
      chipUuids: [chip.facts.uuid],
      capabilities: entry.capabilities,
      recipeDigest: null,
    }
  }

  async function prove(chip: Chip): Promise<OperationView> {
    const ready = await starter()
    if (!ready) throw serverErrors['model.not-ready']()
    const subject = provingSubject(chip.nodeId, chip.facts.uuid)
    const [running] = await operations.running('proving', subject)
    if (running) return running
    const engine: EngineSpec = {
      replicaId: 'proving',
      revisionId: 'proving',
      family: ENGINE_FAMILY,
      servedModel: ready.model.name,
      modelPath: ready.model.path,
      modelDigest: ready.model.digest,
      template: ready.entry.template,
      config: { ...ready.entry.config, threads: threadsOf(chip), slots: 1 },
      golden: ready.entry.golden,
      chipUuids: [chip.facts.uuid],
    }
    const plan = proving.planQuickRun(
      { uuid: chip.facts.uuid, computeUnits: chip.facts.computeUnits },
      engine as unknown as PlannedEngine,
      { threads: threadsOf(chip) },
    )
    const operation = await operations.begin('proving', subject, plan as unknown as Json)
    live.touch('proving')
    return operation
  }

  const chips: BringUpTask = {
    step: 'chips',
    needs: [],
    run: async (_report, signal) => {
      await until(['chips'], signal, firstChip)
      return 'done'
    },
  }

  const model: BringUpTask = {
    step: 'model',
    needs: [],
    run: async (report, signal) => {
      if (ports.model === null) return 'skipped'
      const { fetched } = await registry.ensureStarter(
        ({ doneBytes, totalBytes }) => report({ done: doneBytes, total: totalBytes, unit: 'bytes' }),
        signal,
      )
      live.touch('models')
      return fetched === null || fetched.source === 'present' ? 'skipped' : 'done'
    },
  }

  const measurement: BringUpTask = {
    step: 'proving',
    needs: ['chips', 'model'],
    tryAgain: false,
    run: async (report, signal) => {
      const chip = await firstChip()
      if (!chip || ports.model === null || !ports.proveAtStart) return 'skipped'
      if ((await proving.scores([chip.facts.uuid])).length > 0) return 'skipped'
      const { id } = await prove(chip)
      const ended = await until(['proving'], signal, async () => {
        const operation = await operations.find(id)
        if (operation?.progress) {
          const { done, total, unit } = operation.progress
          report({ done, total, unit })
        }
        return operation?.state === 'running' ? null : operation
      })
      if (ended.state === 'failed') throw serverErrors['proving.failed']({}, { detail: JSON.stringify(ended.error) })
      return 'done'
    },
  }

  const deployment: BringUpTask = {
    step: 'deployment',
    needs: ['chips', 'model'],
    run: async (report, signal) => {
      const [chip, ready] = [await firstChip(), await starter()]
      if (!chip || !ready) return 'skipped'
      const existing = await serving.list(owner, { after: null, limit: 500 })
      // What people changed since is theirs: a later start changes no more of it than the build it runs on.
      let renewed = false
      for (const each of existing) renewed = (await renew(each, signal)) || renewed
      const wanted =
        existing[0] ??
        (await serving.deploy(owner, {
          name: ready.entry.name,
          servedModel: ready.entry.name,
          nodeId: chip.nodeId,
          spec: revisionFor(chip, ready, await offeredBuild(chip.nodeId, ENGINE_FAMILY, signal)),
        }))
      live.touch('deployments')
      const ended = await until(['deployments'], signal, async () => {
        const current = await serving.get(owner, wanted.id)
        const progress = current.replicas[0]?.progress
        if (progress) report({ done: progress.done, total: progress.total, unit: progress.unit })
        const fresh = current.replicas.every(({ id }) => ports.heardOf(id))
        return current.state === 'stopped' || (fresh && ['ready', 'failed'].includes(current.state)) ? current : null
      })
      const error = ended.replicas[0]?.error
      if (ended.state === 'failed')
        throw serverErrors['deployment.failed'](
          { code: error?.code ?? 'unknown' },
          { detail: JSON.stringify(error?.params ?? {}) },
        )
      return existing.length > 0 && !renewed ? 'skipped' : 'done'
    },
  }

  return { tasks: [chips, model, measurement, deployment], prove }
}

function unknownBuild(family: string): EngineBuild {
  return { family, version: null, binaryDigest: null }
}

/** One processor stays free for the rest of the factory: an engine that spins on all of them starves itself. */
function threadsOf(chip: Chip): number {
  return Math.max(1, (chip.facts.computeUnits ?? 2) - 1)
}
