import type { Chip, Coded, Status } from '../../shared/api/types.ts'

/** One thing that will not go away by itself, and where to deal with it. */
export type Need =
  | {
      readonly kind: 'step'
      readonly key: string
      readonly step: Status['steps'][number]['step']
    }
  | {
      readonly kind: 'chip'
      readonly key: string
      readonly chipId: string
      readonly name: string
      readonly health: string
      readonly why: Coded | null
    }
  | {
      readonly kind: 'score'
      readonly key: string
      readonly recordId: string
      readonly name: string
      readonly event: 'prefill' | 'decode'
      readonly why: Coded | null
    }
  | {
      readonly kind: 'deployment'
      readonly key: string
      readonly deploymentId: string
      readonly name: string
      readonly state: string
    }
  | { readonly kind: 'model'; readonly key: string; readonly name: string }

function chipNeeds(chip: Chip): readonly Need[] {
  const name = chip.facts.product
  const needs: Need[] = []
  if (chip.facts.health !== 'healthy' && chip.facts.health !== 'unknown') {
    const why = chip.facts.healthReasons[0] ?? null
    needs.push({ kind: 'chip', key: chip.id, chipId: chip.id, name, health: chip.facts.health, why })
  }
  for (const axis of [chip.score.axes.prefill, chip.score.axes.decode]) {
    if (axis === undefined || axis.state === 'partial') continue
    const key = `${chip.id} ${axis.event}`
    needs.push({ kind: 'score', key, recordId: axis.recordId, name, event: axis.event, why: axis.reasons[0] ?? null })
  }
  return needs
}

/** A step that only waits for another one to be mended needs nobody by itself. */
export function isBlocked(step: Status['steps'][number]): boolean {
  return step.detail?.code === 'server.bring-up.blocked'
}

/** What a person has to look at, worst first: what stops the factory before what only lowers it. */
export function needsOf(status: Status, chips: readonly Chip[]): readonly Need[] {
  const steps = status.steps.filter((step) => step.state === 'failed' && !isBlocked(step))
  const deployments = status.deployments.filter(({ state }) => state === 'failed' || state === 'degraded')
  const models = status.models.filter(({ state }) => state === 'failed')
  return [
    ...steps.map((step): Need => ({ kind: 'step', key: step.step, step: step.step })),
    ...models.map((model): Need => ({ kind: 'model', key: model.id, name: model.name })),
    ...deployments.map(({ id, name, state }): Need => ({ kind: 'deployment', key: id, deploymentId: id, name, state })),
    ...chips.flatMap(chipNeeds),
  ]
}
