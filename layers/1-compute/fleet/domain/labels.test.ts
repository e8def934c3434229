import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyRule, labelBreaches, placeBreaches, taintBreaches, valueRule } from './labels.ts'

const letters = fc.constantFrom(...'abcXYZ019')
const inner = fc.constantFrom(...'abcXYZ019-_.')
const name = fc
  .tuple(letters, fc.string({ unit: inner, maxLength: 61 }), letters)
  .map(([first, middle, last]) => first + middle + last)

describe('labels', () => {
  it('takes every name and value that Kubernetes takes', () => {
    fc.assert(
      fc.property(name, name, (key, value) => {
        expect([keyRule(key), keyRule(`example.com/${key}`), valueRule(value), valueRule('')]).toEqual(
          Array.from({ length: 4 }, () => null),
        )
      }),
    )
  })

  it.each(['', '-a', 'a-', 'a b', 'a/b/c', '/a', 'a/', 'Example.com/a', 'a..b/c', '机柜', 'x'.repeat(64)])(
    'refuses the key %j and says by which rule',
    (key) => {
      const [breach] = labelBreaches({ [key]: 'v' })
      expect(breach).toEqual({ key, rule: expect.stringMatching(/\w/) })
    },
  )

  it('refuses values, too many labels, and the same taint twice', () => {
    expect(valueRule('a b')).not.toBeNull()
    expect(valueRule('x'.repeat(64))).not.toBeNull()
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`k${index}`, '']))
    expect(labelBreaches(many)).toHaveLength(1)
    const taint = { key: 'gpu', value: '', effect: 'no-schedule' } as const
    expect(taintBreaches([taint, { ...taint, effect: 'no-execute' }])).toEqual([])
    expect(taintBreaches([taint, taint])).toMatchObject([{ key: 'gpu' }])
  })

  it('takes a place in any language', () => {
    expect(placeBreaches({ rack: '三号机房 A-12', spine: null })).toEqual([])
    for (const rack of ['', ' a', 'a\n', 'x'.repeat(64)])
      expect(placeBreaches({ rack, spine: null })).toMatchObject([{ key: 'rack', value: rack }])
  })
})
