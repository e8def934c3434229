import { describe, expect, it } from 'vitest'
import { isDeeperThan } from './json-depth.ts'

const nested = (depth: number): unknown => JSON.parse(`${'[{"a":'.repeat(depth)}1${'}]'.repeat(depth)}`)

describe('isDeeperThan', () => {
  it('counts brackets of both kinds, and scalars as none', () => {
    expect(isDeeperThan('text', 0)).toBe(false)
    expect(isDeeperThan(null, 0)).toBe(false)
    expect(isDeeperThan([], 0)).toBe(true)
    expect(isDeeperThan(nested(4), 8)).toBe(false)
    expect(isDeeperThan([1, nested(4)], 8)).toBe(true)
  })

  it('survives a depth that no recursion does', () => {
    expect(isDeeperThan(nested(200_000), 256)).toBe(true)
    expect(isDeeperThan(nested(200_000), 1_000_000)).toBe(false)
  })
})
