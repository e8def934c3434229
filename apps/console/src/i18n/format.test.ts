import { describe, expect, it } from 'vitest'
import { createFormat } from './format.ts'

const en = createFormat('en')
const zh = createFormat('zh-CN')

describe('createFormat', () => {
  it('shows measurements with three significant digits and their unit', () => {
    expect(en.measure(73.94, 'tok/s')).toBe('73.9\u00a0tok/s')
    expect(en.measure(36, 'tok/s')).toBe('36.0\u00a0tok/s')
    expect(en.measure(0, 'W')).toBe('0\u00a0W')
  })

  it('scales bytes by 1024 and rates by 1000', () => {
    expect(en.bytes(95_400_000)).toBe('91\u00a0MiB')
    expect(en.bytes(51_539_607_552)).toBe('48\u00a0GiB')
    expect(en.rate(1.25e11, 'FLOP/s')).toBe('125\u00a0GFLOP/s')
  })

  it('says how long ago in the reader’s language', () => {
    const now = Date.parse('2026-11-23T10:00:00Z')
    expect(en.relative('2026-11-23T09:57:00Z', now)).toBe('3 minutes ago')
    expect(zh.relative('2026-11-23T09:57:00Z', now)).toBe('3\u00a0分钟前')
    expect(en.relative('2026-11-25T10:00:00Z', now)).toBe('in 2 days')
  })

  it('says a length of time in the largest unit that fits', () => {
    expect([90, 3_600, 5_400, 172_800].map(en.span)).toEqual(['90 seconds', '1 hour', '90 minutes', '2 days'])
    expect(zh.span(3_600)).toBe('1\u00a0小时')
    expect(en.span(0)).toBe('0 seconds')
  })

  it('names the zone of a moment', () => {
    expect(en.time('2026-11-23T10:00:00Z')).toMatch(/(UTC|GMT|[A-Z]{3,4})/)
    expect(zh.time('2026-11-23T10:00:00Z')).toMatch(/\d\d:\d\d:\d\d \S+$/)
  })
})
