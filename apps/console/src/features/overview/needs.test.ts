import { describe, expect, it } from 'vitest'
import type { Status } from '../../shared/api/types.ts'
import { needsOf } from './needs.ts'

const calm: Status = {
  ready: true,
  version: '0.1.0',
  instanceId: 'inst_1',
  startedAt: '2026-11-23T10:00:00Z',
  store: { kind: 'embedded', version: '18' },
  steps: [{ step: 'chips', state: 'done', done: 1, total: 1, unit: '', detail: null }],
  chips: [],
  simulated: { chips: 0, nodes: 0 },
  models: [{ id: 'model_1', name: 'starter', state: 'ready' }],
  deployments: [{ id: 'dep_1', name: 'starter', state: 'ready', servedModel: 'starter', restarts: 0 }],
  score: { axes: {}, fitness: null, reason: 'full_suites_not_run' },
  endpoints: { console: '', gateway: '' },
  usage: { requests24h: 0, completionTokens24h: 0, errors24h: 0 },
}

describe('needsOf', () => {
  it('is empty when nothing is wrong', () => {
    expect(needsOf(calm, [])).toEqual([])
  })

  it('puts what stops the factory first', () => {
    const status: Status = {
      ...calm,
      deployments: [{ id: 'dep_1', name: 'starter', state: 'failed', servedModel: 'starter', restarts: 3 }],
      steps: [{ step: 'model', state: 'failed', done: 0, total: null, unit: '', detail: { code: 'x', params: {} } }],
    }
    expect(needsOf(status, []).map(({ kind }) => kind)).toEqual(['step', 'deployment'])
  })

  it('names the step that failed and none that only waits for it', () => {
    const failed = (step: 'model' | 'deployment', code: string) =>
      ({ step, state: 'failed', done: 0, total: null, unit: '', detail: { code, params: {} } }) as const
    const steps = [failed('model', 'registry.model.unobtainable'), failed('deployment', 'server.bring-up.blocked')]
    expect(needsOf({ ...calm, steps }, []).map(({ key }) => key)).toEqual(['model'])
  })
})
