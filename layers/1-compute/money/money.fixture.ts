import { randomBytes } from 'node:crypto'
import { createIdFactory } from '@medley/kernel'
import type { NewMeterEvent, PriceBook, PriceRule } from './index.ts'

export const clock = { now: () => Date.now() }
export const ids = createIdFactory(clock, (size) => new Uint8Array(randomBytes(size)))

export function aRule(fields: Partial<PriceRule> & Pick<PriceRule, 'kind' | 'price' | 'per'>): PriceRule {
  const id = [fields.kind, fields.model, fields.product, fields.scoreClass].join('/')
  return { id, model: null, product: null, scoreClass: null, hours: [], ...fields }
}

/** All kinds but joules; peak hours for tokens, valley hours for chips. */
export function aBook(fields: Partial<PriceBook> = {}): PriceBook {
  const peak = [{ weekdays: [1, 2, 3, 4, 5], from: '09:00', to: '18:00', factor: '1.5' }]
  const valley = [{ weekdays: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '06:30', factor: '0.45' }]
  return {
    name: `book-${ids.next('book')}`,
    version: 1,
    currency: 'CNY',
    timeZone: 'Asia/Shanghai',
    validFrom: new Date('2020-01-01T00:00:00Z'),
    validTo: null,
    discount: '0.05',
    rules: [
      aRule({ kind: 'tokens.input', price: '2.4', per: 1_000_000n, hours: peak }),
      aRule({ kind: 'tokens.input', price: '7', per: 1_000_000n, model: 'large' }),
      aRule({ kind: 'tokens.cached', price: '0.37', per: 1_000_000n }),
      aRule({ kind: 'tokens.output', price: '9.999', per: 1_000_000n, hours: peak }),
      aRule({ kind: 'chip-seconds', price: '7.2', per: 3_600n, hours: valley }),
      aRule({ kind: 'cu-hours', price: '6.13', per: 1_000_000n, hours: valley }),
      aRule({ kind: 'cu-hours', price: '8', per: 1_000_000n, scoreClass: 'specialist' }),
      aRule({ kind: 'cu-hours', price: '5', per: 1_000_000n, product: 'p2' }),
      aRule({ kind: 'storage-byte-hours', price: '0.0008', per: 1n << 30n }),
      aRule({ kind: 'data-uses', price: '0.015', per: 1n }),
    ],
    ...fields,
  }
}

export function anEvent(
  tenantId: string,
  fields: Partial<NewMeterEvent> & Pick<NewMeterEvent, 'sourceKey'>,
): NewMeterEvent {
  const endedAt = fields.endedAt ?? new Date('2026-11-21T04:00:00Z')
  return {
    tenantId,
    projectId: 'p',
    keyId: null,
    kind: 'tokens.output',
    quantity: 1_000n,
    model: 'small',
    product: null,
    scoreClass: null,
    cuMicro: null,
    chipUuid: null,
    slice: null,
    event: null,
    rateVersion: null,
    evidenceId: null,
    startedAt: endedAt,
    endedAt,
    ...fields,
  }
}
