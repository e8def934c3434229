import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aBook, anEvent, aRule } from '../money.fixture.ts'
import { compare, multiply } from './decimal.ts'
import { bookAt, flawsOf, priceOf } from './pricing.ts'
import { move, takeOut } from './wallet.ts'

const saturday = new Date('2026-11-21T04:00Z')
const price = (fields: Parameters<typeof anEvent>[1], at = saturday, book = aBook()) => {
  const priced = priceOf(book, anEvent('t', fields), at)
  return priced && [priced.ruleId, priced.amount]
}

describe('a price', () => {
  it('is the narrowest rule’s, by CU where CU is known, and none where there is none', () => {
    const chips = { sourceKey: 'k', kind: 'chip-seconds' as const, quantity: 3_600n }
    expect(price({ sourceKey: 'k' })).toEqual(['tokens.output///', '0.00949905'])
    expect(price({ sourceKey: 'k', kind: 'tokens.input', model: 'large' })?.[0]).toBe('tokens.input/large//')
    expect(price(chips)).toEqual(['chip-seconds///', '6.84'])
    expect(price({ ...chips, cuMicro: 2_000_000n })?.[0]).toBe('cu-hours///')
    expect(price({ ...chips, cuMicro: 2_000_000n, scoreClass: 'specialist' })).toEqual([
      'cu-hours///specialist',
      '15.2',
    ])
    expect(price({ ...chips, cuMicro: 1n, scoreClass: 'specialist', product: 'p2' })?.[0]).toBe('cu-hours//p2/')
    expect(price({ sourceKey: 'k', kind: 'joules' })).toBeNull()
  })

  it('goes by the hour on the book’s wall', () => {
    const at = (time: string) => price({ sourceKey: 'k', quantity: 1_000_000n }, new Date(time))?.[1]
    const [plain, peak] = ['9.49905', multiply('9.49905', '1.5')]
    expect(['2026-11-23T00:59:59.999Z', '2026-11-23T01:00Z'].map(at)).toEqual([plain, peak])
    expect(['2026-11-23T09:59:59.999Z', '2026-11-23T10:00Z', '2026-11-22T04:00Z'].map(at)).toEqual([peak, plain, plain])
  })

  it('is of the highest version that is valid', () => {
    const versions = [
      aBook({ version: 1 }),
      aBook({ version: 2, validFrom: new Date('2026-06-01'), validTo: new Date('2026-07-01') }),
      aBook({ version: 3, validFrom: new Date('2026-06-15') }),
    ]
    const at = (day: string) => bookAt(versions, new Date(day))?.version ?? null
    const days = ['2019-01-01', '2026-05-31', '2026-06-01', '2026-06-20', '2026-08-01']
    expect(days.map(at)).toEqual([null, 1, 2, 3, 3])
  })

  it('is refused at publication when it has no end', () => {
    const flaws = (fields: Parameters<typeof aRule>[0]) => flawsOf(aBook({ rules: [aRule(fields)] })).map((f) => f.path)
    expect(flawsOf(aBook())).toEqual([])
    expect(flaws({ kind: 'chip-seconds', price: '10', per: 3_600n })).toEqual(['rules.0.price'])
    expect(flaws({ kind: 'chip-seconds', price: '1', per: 10n ** 37n })).toEqual(['rules.0.price'])
    const hours = [{ weekdays: [8], from: '18:00', to: '06:00', factor: '1' }]
    expect(flaws({ kind: 'joules', price: '-1', per: 0n, hours })).toEqual([
      'rules.0.price',
      'rules.0.per',
      'rules.0.hours.0.weekdays',
      'rules.0.hours.0',
    ])
    const twice = aRule({ kind: 'joules', price: '1', per: 1n })
    expect(flawsOf(aBook({ rules: [twice, { ...twice, id: 'other' }] })).map((f) => f.path)).toEqual(['rules.1'])
  })
})

describe('a wallet', () => {
  it('never goes past its credit line and loses nothing, whatever moves', () => {
    const amount = fc.integer({ min: -3_000, max: 9_000 }).map((cents) => multiply(String(cents), '0.01'))
    fc.assert(
      fc.property(amount, fc.nat(50), fc.array(amount), (start, limit, charges) => {
        let wallet = move({ balance: '0', creditLimit: String(limit), owed: '0', lowAt: '0' }, { charged: start })
        for (const charged of charges) {
          const next = move(wallet, { charged })
          const worth = (state: typeof wallet) => Number(state.balance) - Number(state.owed)
          expect(worth(next)).toBeCloseTo(worth(wallet) - Number(charged), 6)
          expect(compare(next.balance, String(-limit)) >= 0 && compare(next.owed, '0') >= 0).toBe(true)
          // Owed only where nothing was left to pay with.
          if (next.owed !== '0') expect(compare(next.balance, String(-limit))).toBe(0)
          wallet = next
        }
      }),
    )
    expect(takeOut({ balance: '1', creditLimit: '2', owed: '0', lowAt: '0' }, '3.01')).toBeNull()
    expect(takeOut({ balance: '1', creditLimit: '2', owed: '0', lowAt: '0' }, '3')?.balance).toBe('-2')
  })
})
