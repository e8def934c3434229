import type { Id, Scope } from '@medley/kernel'
import type { Decimal } from './domain/decimal.ts'
import type { RevenueShare } from './domain/shares.ts'
import type { LineKey, Statement } from './domain/statement.ts'
import type { Currency, Priceable, PriceBook } from './domain/terms.ts'
import type { WalletLevel } from './domain/wallet.ts'

export interface NewMeterEvent extends Priceable {
  /** What it was metered from (`request req_1 input`), unique within the tenant; the same again is the same event. */
  readonly sourceKey: string
  readonly tenantId: string
  readonly projectId: string
  readonly keyId: string | null
  /** Of a slice or a whole chip, as the fleet names it. */
  readonly chipUuid: string | null
  readonly slice: string | null
  /** What the chip was used for (`decode`, ...). */
  readonly event: string | null
  /** Version of `cu_rates` that `cuMicro` was computed by. */
  readonly rateVersion: string | null
  /** The record or request it can be traced to. */
  readonly evidenceId: string | null
  readonly startedAt: Date
  /** Its last millisecond decides the price, the hour and the month: cut long use at each full hour. */
  readonly endedAt: Date
}

export interface MeterEvent extends NewMeterEvent {
  readonly id: Id<'usage'>
  /** Negative quantities are in corrections only. */
  readonly correctionOf: string | null
  readonly recordedAt: Date
}

/** Takes back, or adds to, an event; counts where that counted. */
export interface Correction {
  readonly sourceKey: string
  /** Id of the event, which is no correction itself. */
  readonly correctionOf: string
  readonly quantity: bigint
  /** `null` where, and only where, the event has none. */
  readonly cuMicro: bigint | null
  readonly evidenceId: string | null
}

export type AtZero = 'stop' | 'slow-down' | 'ask'

export interface WalletTerms {
  readonly creditLimit: Decimal
  /** At or below this `low` is told and, with `slow-down`, holds are granted with `pace: 'slow'`. */
  readonly lowAt: Decimal
  /** What callers do near and at zero. Nothing is granted beyond balance and credit, whichever it is. */
  readonly atZero: AtZero
}

export interface NewWallet extends WalletTerms {
  readonly tenantId: string
  readonly currency: Currency
  /** Of its months. */
  readonly timeZone: string
  /** Name of the book, in `currency`; its versions carry the changes. */
  readonly bookName: string
}

export interface WalletView extends NewWallet {
  /** Without what is held. */
  readonly balance: Decimal
  readonly held: Decimal
  /** Used beyond balance and credit line, where nobody had held the money before. */
  readonly owed: Decimal
  /** What can be held now. */
  readonly available: Decimal
  readonly state: WalletLevel
}

export interface HoldRequest {
  readonly tenantId: string
  /** Of the caller's choice, unique within the tenant. */
  readonly requestId: string
  /** The most that can be used. */
  readonly amount: Decimal
  /** After it the hold is released by `sweep`: longer than the work can last. */
  readonly ttlMs: number
}

/**
 * Refusals are expected, so they are values. They are not remembered: asked again there may be money. `over`: this
 * request was held before and nothing is held any more; for further work take a new request id.
 */
export type HoldOutcome =
  | {
      readonly kind: 'held'
      readonly id: Id<'hold'>
      readonly expiresAt: Date
      readonly pace: 'full' | 'slow'
    }
  | { readonly kind: 'over'; readonly id: Id<'hold'>; readonly state: Exclude<HoldState, 'held'> }
  | { readonly kind: 'refused'; readonly atZero: AtZero; readonly available: Decimal }

export type HoldState = 'held' | 'captured' | 'released' | 'expired'

export interface Budget {
  readonly tenantId: string
  /** `null`: of the whole tenant. */
  readonly projectId: string | null
  /** For each month in the wallet's zone. */
  readonly amount: Decimal
  /** Shares of the amount at which somebody is told, once a month each. */
  readonly alertShares: readonly Decimal[]
}

export interface BudgetUse extends Budget {
  readonly id: Id<'budget'>
  readonly month: string
  readonly spent: Decimal
}

export type AccountKind = 'wallet' | 'hold' | 'credit' | 'revenue' | 'partner' | 'data-provider' | 'top-up'

export interface LedgerEntry {
  readonly id: bigint
  readonly postingId: string
  /** `wallet`, `hold`, `credit` belong to a tenant, `partner`, `data-provider` to theirs, the others to the operator. */
  readonly account: { readonly kind: AccountKind; readonly ownerId: string | null }
  readonly amount: Decimal
  readonly currency: Currency
  readonly at: Date
  /** What it stands for: `hold`, `release`, `charge`, `top-up`, `terms`. */
  readonly reason: string
  readonly sourceId: string
}

export interface LineEvent {
  readonly event: MeterEvent
  /** What all its charges and their reversals add up to; `null` where no price fitted. */
  readonly amount: Decimal | null
  readonly unitPrice: Decimal | null
  readonly book: { readonly name: string; readonly version: number; readonly ruleId: string } | null
}

/**
 * What is used, what it costs and who pays. Whoever calls has checked that it may; `scope` says whose eyes it is for,
 * and another tenant's is not there. After any failure everything may be called again: it is done once.
 */
export interface Money {
  /**
   * Prices for what ends from `validFrom` on, which may lie in the past: `rerate` corrects what was priced before.
   *
   * @throws AppError `money.book.invalid` with fields, `money.book.published` when the version exists and differs
   */
  publish(book: PriceBook): Promise<void>
  books(name: string): Promise<readonly PriceBook[]>

  /** @throws AppError `money.wallet.invalid`, `money.wallet.open`, `money.book.unknown` */
  openWallet(wallet: NewWallet): Promise<WalletView>
  /** @throws AppError `money.wallet.invalid`, `money.credit.used`, `money.wallet.unknown` */
  setTerms(tenantId: string, terms: WalletTerms): Promise<WalletView>
  /** @throws AppError `money.wallet.unknown` */
  wallet(scope: Scope, tenantId: string): Promise<WalletView>
  /** @throws AppError `money.amount.invalid`, `money.repeat.differs`, `money.wallet.unknown` */
  topUp(order: { tenantId: string; sourceKey: string; amount: Decimal }): Promise<WalletView>
  /** Own accounts only, oldest first; all accounts for a system scope. */
  entries(scope: Scope, tenantId: string, page?: { after?: bigint; limit?: number }): Promise<readonly LedgerEntry[]>

  /** @throws AppError `money.amount.invalid`, `money.repeat.differs`, `money.wallet.unknown` */
  hold(request: HoldRequest): Promise<HoldOutcome>
  /**
   * Records, prices and charges what was used, and gives the rest back, all at once. More than was held, or after the
   * hold's time, is paid from the wallet and then owed: use that happened is never lost.
   *
   * @throws AppError `money.hold.unknown`, `money.event.invalid`, `money.repeat.differs`
   */
  capture(holdId: string, events: readonly NewMeterEvent[]): Promise<{ readonly charged: Decimal }>
  /** Nothing was used. @throws AppError `money.hold.unknown`, `money.hold.captured` */
  release(holdId: string): Promise<void>
  /** Releases holds past their time. @returns how many */
  sweep(): Promise<number>

  /** For use that nobody held money for. @throws AppError `money.event.invalid`, `money.repeat.differs` */
  record(events: readonly NewMeterEvent[]): Promise<{ readonly recorded: number }>
  /** @throws AppError `money.event.invalid`, `money.event.unknown`, `money.correction.exceeds` */
  correct(correction: Correction): Promise<{ readonly recorded: number }>
  /** Prices and charges a batch of what was recorded. @returns how many; 0: nothing is left to do */
  rate(): Promise<number>
  /** Prices again what was charged for a stretch of time, by the versions published since. */
  rerate(order: { tenantId: string; from: Date; to: Date }): Promise<{ readonly corrected: number }>

  /** @throws AppError `money.share.invalid` */
  addShare(share: RevenueShare): Promise<void>
  /** Set again, it replaces the amount and the shares. @throws AppError `money.budget.invalid` */
  setBudget(budget: Budget): Promise<void>
  budgets(scope: Scope, tenantId: string): Promise<readonly BudgetUse[]>

  /** A draft: recomputed at each call from the charges there are. @throws AppError `money.month.invalid` */
  statement(scope: Scope, order: { tenantId: string; month: string }): Promise<Statement>
  /** The events a line is made of, in order of their id. */
  lineEvents(
    scope: Scope,
    order: { tenantId: string; month: string; line: LineKey; after?: string; limit?: number },
  ): Promise<readonly LineEvent[]>
}
