import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  AppError,
  canonicalJson,
  createIdFactory,
  defineErrors,
  digestOf,
  isId,
  type Json,
  localeFrom,
  toProblem,
  toUrn,
} from './index.ts'

describe('ids', () => {
  it('are UUIDs of version 7 that sort by time', () => {
    const time = fc.integer({ min: 0, max: 2 ** 47 })
    fc.assert(
      fc.property(time, time, (left, right) => {
        const at = (now: number) => createIdFactory({ now: () => now }, randomBytes).next('chip')
        const [first, second] = [at(left), at(right)]
        expect(isId('chip', first)).toBe(true)
        expect(isId('node', first)).toBe(false)
        if (left !== right) expect(first < second).toBe(left < right)
      }),
    )
  })

  it('have a name outside their instance', () => {
    expect(toUrn('inst_1', 'chip_2')).toBe('urn:medley:inst_1:chip:chip_2')
  })
})

describe('digests', () => {
  it('do not depend on the order of members', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse())
        expect(digestOf(reversed as Json)).toBe(digestOf(value as Json))
        expect(JSON.parse(canonicalJson(value as Json))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('refuse what JSON cannot carry', () => {
    expect(() => canonicalJson({ a: Number.NaN })).toThrow(TypeError)
  })
})

describe('errors', () => {
  const errors = defineErrors('demo', {
    'thing.unknown': {
      status: 404,
      title: { en: 'There is no thing {id}', 'zh-CN': '没有 {id}' },
      hint: { en: 'List them', 'zh-CN': '查看列表' },
    },
  })

  it('carry a stable code and speak the reader’s language', () => {
    const error = errors['thing.unknown']({ id: 'x' }, { detail: 'looked twice' })
    expect(error).toBeInstanceOf(AppError)
    expect(toProblem(error, 'zh-CN')).toMatchObject({
      code: 'demo.thing.unknown',
      title: '没有 x',
      status: 404,
      hint: '查看列表',
    })
    expect(toProblem(error, 'en')).toMatchObject({ title: 'There is no thing x', detail: 'looked twice' })
  })

  it.each([
    ['zh-CN,zh;q=0.9,en;q=0.8', 'zh-CN'],
    ['en-US,en;q=0.9,zh;q=0.1', 'en'],
    ['fr', 'en'],
    [null, 'en'],
  ])('read %s as %s', (header, locale) => {
    expect(localeFrom(header)).toBe(locale)
  })
})
