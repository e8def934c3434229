export { moneyMigrations } from './adapters/tables.ts'
export type { Decimal } from './domain/decimal.ts'
export type { RevenueShare } from './domain/shares.ts'
export { type LineKey, type Statement, type StatementLine, statementCsv } from './domain/statement.ts'
export {
  CURRENCIES,
  type Currency,
  METER_KINDS,
  type MeterKind,
  type PriceBook,
  type PriceHours,
  type PriceRule,
  type PriceUnit,
  SCORE_CLASSES,
  type ScoreClass,
} from './domain/terms.ts'
export { errors as moneyErrors } from './errors.ts'
export { createMoney, type MoneyPorts } from './money.ts'
export type {
  AtZero,
  Budget,
  BudgetUse,
  Correction,
  HoldOutcome,
  HoldRequest,
  LedgerEntry,
  LineEvent,
  MeterEvent,
  Money,
  NewMeterEvent,
  NewWallet,
  WalletTerms,
  WalletView,
} from './ports.ts'
