import { describe, expect, it } from 'vitest'
import { faultsOf, isLabelKey, isLabelValue } from './label-rules.ts'

describe('labels as they are typed', () => {
  it.each(['zone', 'a', 'network.example.com/speed', 'A_b-c.9'])('takes the key %s', (key) => {
    expect(isLabelKey(key)).toBe(true)
  })
  it.each(['', '-zone', 'zone-', 'a/b/c', 'Upper.Case/x', '/x', 'x/', '机柜', 'a'.repeat(64)])(
    'refuses the key “%s”',
    (key) => {
      expect(isLabelKey(key)).toBe(false)
    },
  )
  it('allows an empty value and no blanks', () => {
    expect([isLabelValue(''), isLabelValue('200g'), isLabelValue('a b')]).toEqual([true, true, false])
  })
  it('points at the row that repeats a key and leaves empty rows alone', () => {
    const rows = [
      { id: 1, key: 'zone', value: 'a' },
      { id: 2, key: '', value: '' },
      { id: 3, key: 'zone', value: 'b' },
      { id: 4, key: '', value: 'b' },
    ]
    expect([...faultsOf(rows)]).toEqual([
      [3, 'twice'],
      [4, 'key'],
    ])
  })
})
