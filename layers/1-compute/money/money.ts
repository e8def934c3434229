import { type Clock, type IdFactory, type Scope, systemScope } from '@medley/kernel'
import type { Store } from '@medley/store'
import { insertShare, loadBooks, publishBook } from './books.ts'
import { saveBudget, usesNow } from './budgets.ts'
import { captureHold, placeHold, releaseHold, sweepHolds } from './holds.ts'
import { recordCorrection, recordEvents } from './metering.ts'
import { type Parts, requireOwn, type Tables, type Tx } from './parts.ts'
import type { Money } from './ports.ts'
import { rateBatch, rerateTenant } from './rating.ts'
import { draftStatement, readLineEvents } from './statements.ts'
import { openWallet, readEntries, readWallet, setTerms, topUp } from './wallets.ts'

export interface MoneyPorts {
  /** With `storeMigrations` and `moneyMigrations` applied. */
  readonly store: Store
  readonly clock: Clock
  readonly ids: IdFactory
}

/**
 * Meters, prices, charges and states. Stateless: any number of processes may share one store.
 *
 * @example
 * const money = createMoney({ store, clock, ids })
 * const held = await money.hold({ tenantId, requestId, amount: '0.35', ttlMs: 600_000 })
 * if (held.kind === 'held') await money.capture(held.id, [{ ...event, kind: 'tokens.output', quantity: 812n }])
 */
export function createMoney({ store, clock, ids }: MoneyPorts): Money {
  const system = systemScope('money')
  const parts: Parts = { database: store.tables<Tables>(), clock, ids, system }
  const write = <Result>(work: (tx: Tx) => Promise<Result>) => parts.database.run(system, work)
  const read = async <Result>(scope: Scope, tenantId: string, work: (tx: Tx) => Promise<Result>) => {
    requireOwn(scope, tenantId)
    return await parts.database.run(scope, work)
  }
  return {
    publish: (book) => write((tx) => publishBook(tx, parts, book)),
    books: (name) => write((tx) => loadBooks(tx, name)),

    openWallet: (wallet) => write((tx) => openWallet(tx, wallet)),
    setTerms: (tenantId, terms) => write((tx) => setTerms(tx, parts, tenantId, terms)),
    wallet: (scope, tenantId) => read(scope, tenantId, (tx) => readWallet(tx, tenantId)),
    topUp: (order) => write((tx) => topUp(tx, parts, order)),
    entries: (scope, tenantId, page = {}) => read(scope, tenantId, (tx) => readEntries(tx, scope, tenantId, page)),

    hold: (request) => write((tx) => placeHold(tx, parts, request)),
    capture: (holdId, events) => write((tx) => captureHold(tx, parts, holdId, events)),
    release: (holdId) => write((tx) => releaseHold(tx, parts, holdId)),
    sweep: () => sweepHolds(parts),

    record: (events) => write(async (tx) => ({ recorded: await recordEvents(tx, parts, events) })),
    correct: (correction) => write(async (tx) => ({ recorded: await recordCorrection(tx, parts, correction) })),
    rate: () => rateBatch(parts),
    rerate: async (order) => ({ corrected: await rerateTenant(parts, order) }),

    addShare: (share) => write((tx) => insertShare(tx, parts, share)),
    setBudget: (budget) => write((tx) => saveBudget(tx, parts, budget)),
    budgets: (scope, tenantId) =>
      read(scope, tenantId, async (tx) => await usesNow(tx, parts, await readWallet(tx, tenantId))),

    statement: (scope, { tenantId, month }) =>
      read(scope, tenantId, async (tx) => await draftStatement(tx, await readWallet(tx, tenantId), month)),
    lineEvents: (scope, order) =>
      read(scope, order.tenantId, async (tx) => await readLineEvents(tx, await readWallet(tx, order.tenantId), order)),
  }
}
