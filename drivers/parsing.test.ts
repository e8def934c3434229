import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bytesOrNull,
  countOrNull,
  formatCpuList,
  normalizePciAddress,
  numberOrNull,
  parseCpuList,
  parseCsv,
  parseKeyValues,
  textOrNull,
} from './parsing.ts'

describe('what tools print', () => {
  it('reads every word for unknown as null, never as 0', () => {
    const words = [
      'N/A',
      '[N/A]',
      '[Not Supported]',
      '[Unknown Error]',
      '[GPU is lost]',
      'ERR!',
      '-',
      '--',
      'xxx',
      '',
      'NULL',
    ]
    expect(words.map((word) => numberOrNull(word))).toEqual(words.map(() => null))
    expect(words.map((word) => textOrNull(word))).toEqual(words.map(() => null))
    expect(numberOrNull('0')).toBe(0)
  })

  it('drops units from numbers', () => {
    expect(['97W', '38 C', '61.68MB', ' 4.72 ', '-3'].map(numberOrNull)).toEqual([97, 38, 61.68, 4.72, -3])
    expect(countOrNull('4.72')).toBeNull()
    expect(countOrNull('-1')).toBeNull()
  })

  it('reads bytes with and without a unit', () => {
    expect(bytesOrNull('8192 MiB')).toBe(8 * 2 ** 30)
    expect(bytesOrNull('32768K')).toBe(32 * 2 ** 20)
    expect(bytesOrNull('2 MiB (2 instances)')).toBe(2 ** 21)
    expect(bytesOrNull('81559', 2 ** 20)).toBe(81559 * 2 ** 20)
    expect(bytesOrNull('4096')).toBe(4096)
    expect(bytesOrNull('max')).toBeNull()
  })

  it('writes one form of a PCI address for all that tools print', () => {
    const forms = ['00000000:3B:00.0', '0000:3b:00.0', '3b:00.0', '00:3B:00.0', '0000:3b:00.0 --> SN: 123']
    expect(new Set(forms.map(normalizePciAddress))).toEqual(new Set(['0000:3b:00.0']))
    expect(normalizePciAddress('00010001:3B:00.0')).toBe('10001:3b:00.0')
    expect(normalizePciAddress('not an address')).toBeNull()
  })

  it('finds rows by the header, whatever the order and whatever stands around them', () => {
    const { rows, other } = parseCsv('a warning\nmemory.total [MiB], uuid, index\n10, GPU-1, 0\n\nhalf, a\n', [
      'index',
      'uuid',
    ])
    expect(rows.map((row) => Object.fromEntries(row))).toEqual([{ 'memory.total': '10', uuid: 'GPU-1', index: '0' }])
    expect(other).toEqual(['a warning', 'half, a'])
  })

  it('takes lists of processors apart and puts them together again', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 2_000 })), (cpus) => {
        const sorted = [...cpus].sort((left, right) => left - right)
        expect(parseCpuList(formatCpuList(sorted))).toEqual(sorted)
      }),
    )
    expect(parseCpuList('0-2,8,x,9-')).toEqual([0, 1, 2, 8])
  })

  it('takes any text without throwing and never invents a number that is not finite', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const value of [numberOrNull(text), countOrNull(text), bytesOrNull(text, 2 ** 20)]) {
          expect(value === null || Number.isFinite(value)).toBe(true)
        }
        expect(parseCpuList(text).every(Number.isInteger)).toBe(true)
        expect(parseCsv(text, ['index']).rows.length).toBeLessThanOrEqual(text.split('\n').length)
        expect(parseKeyValues(text)).toBeInstanceOf(Map)
        expect(normalizePciAddress(text) === null || text.includes(':')).toBe(true)
      }),
    )
  })
})
