import { describe, expect, it } from 'vitest'
import type { AlertRule } from '../../shared/api/types.ts'
import { changeOf, draftOf, faultOf } from './rule-draft.ts'

const heat: AlertRule = {
  id: 'r',
  builtIn: true,
  name: { en: 'Chip too hot', 'zh-CN': '芯片过热' },
  enabled: true,
  severity: 'warning',
  condition: { kind: 'metric', metric: 'temperatureCelsius', comparison: 'above', threshold: 85 },
  forSeconds: 120,
  vendors: [],
  includeSimulated: true,
  channelIds: ['c'],
}

describe('a rule being written', () => {
  it('changes of a built-in rule only what may be changed', () => {
    const change = changeOf({ ...draftOf(heat, 'en'), threshold: 90 }, heat)
    expect(change).toEqual({
      condition: { ...heat.condition, threshold: 90 },
      forSeconds: 120,
      includeSimulated: true,
      channelIds: ['c'],
    })
  })

  it('sends the members of the chosen kind of condition and no others', () => {
    const draft = { ...draftOf(null, 'en'), name: ' Lost ', kind: 'chip-state' as const }
    expect(changeOf(draft, null)).toMatchObject({ name: 'Lost', condition: { kind: 'chip-state', states: ['lost'] } })
    expect(changeOf({ ...draft, kind: 'node-away' }, null).condition).toEqual({ kind: 'node-away' })
  })

  it('names what is missing', () => {
    const draft = draftOf(null, 'zh-CN')
    expect(faultOf(draft)).toBe('nameMissing')
    expect(faultOf({ ...draft, name: 'x', threshold: null })).toBe('threshold')
    expect(faultOf({ ...draft, name: 'x', kind: 'chip-state', states: [] })).toBe('states')
    expect(faultOf({ ...draft, name: 'x' })).toBeNull()
  })
})
