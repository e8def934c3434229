import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findJsonFault } from './json-fault.ts'

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Valid JSON with a character removed, inserted or replaced, so that most texts are nearly right. */
const nearlyJson = fc
  .tuple(fc.json(), fc.nat(), fc.nat(2), fc.constantFrom(...'{}[]",:\\0-1.eE+tfnu \n\u0001é'))
  .map(([text, place, removed, inserted]) => {
    const at = place % (text.length + 1)
    return text.slice(0, at) + (removed === 2 ? '' : inserted) + text.slice(at + (removed === 0 ? 0 : 1))
  })

describe('findJsonFault', () => {
  it.each([
    ['{"a":1,}', 'expected a name in double quotes, found "}"', 1, 8],
    ['{"a":1\n "b":2}', 'expected "," or "}", found "\\""', 2, 2],
    ["{'a':1}", 'expected a name in double quotes, found "\'"', 1, 2],
    ['[1,2', 'expected "," or "]", found the end', 1, 5],
    ['{"a":"b', 'the string is not closed', 1, 8],
    ['{"a":"b\n"}', 'unescaped control character in the string', 1, 8],
    ['["\\x"]', 'bad escape in the string', 1, 3],
    ['nul', 'expected a value, found "n"', 1, 1],
    ['{} {}', 'nothing may follow the value', 1, 4],
    ['{"a" 1}', 'expected ":", found "1"', 1, 6],
    ['', 'expected a value, found the end', 1, 1],
  ])('says of %j: %s', (text, problem, line, column) => {
    expect(findJsonFault(text)).toMatchObject({ problem, line, column })
  })

  it('finds a fault in exactly those texts that JSON.parse refuses', () => {
    fc.assert(
      fc.property(fc.oneof(nearlyJson, fc.string(), fc.json()), (text) => {
        const fault = findJsonFault(text)
        expect(fault === null).toBe(isJson(text))
        expect(fault?.offset ?? 0).toBeLessThanOrEqual(text.length)
      }),
      { numRuns: 3000 },
    )
  })

  it('finds a text that was cut short wrong at its end, or at the unfinished word there', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (text, place) => {
        const cut = text.slice(0, place % text.length)
        const fault = findJsonFault(cut)
        if (fault !== null) expect(cut.length - fault.offset).toBeLessThanOrEqual('fals'.length)
      }),
    )
  })

  it('neither overflows on deep nesting nor on long strings', () => {
    expect(findJsonFault('['.repeat(1_000_000))?.offset).toBe(1_000_000)
    expect(findJsonFault(`["${'x\\n'.repeat(1_000_000)}"`)?.problem).toContain('found the end')
  })
})
