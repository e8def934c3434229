import type { Locale } from '@medley/kernel'
import { type Decimal, roundHalfEven, subtract, sum, withDigits } from './decimal.ts'
import { type Currency, type MeterKind, MINOR_DIGITS, type PriceUnit } from './terms.ts'

/** What a line stands for, and by what its events can be asked for. */
export interface LineKey {
  readonly kind: MeterKind
  readonly model: string | null
  readonly product: string | null
  /** What it was priced by; `null`: no price fitted. */
  readonly unit: PriceUnit | null
}

export interface StatementLine extends LineKey {
  readonly events: number
  /** Of `unit` (`cu-hours`: millionths), or of `kind` where there is no price. */
  readonly quantity: bigint
  /** As it was charged, not rounded; `null`: no price fitted. */
  readonly exact: Decimal | null
  /** Rounded half to even to the currency's minor unit. */
  readonly amount: Decimal | null
}

export interface Statement {
  readonly tenantId: string
  /** `2026-11` in `timeZone`. */
  readonly month: string
  readonly timeZone: string
  readonly startsAt: Date
  readonly endsAt: Date
  readonly currency: Currency
  readonly lines: readonly StatementLine[]
  /** What all lines cost before any rounding: what the book of accounts says. */
  readonly exact: Decimal
  /** `total` - `exact`: the entry by which rounding is told. */
  readonly rounding: Decimal
  /** Sum of the lines' amounts. */
  readonly total: Decimal
  /** Everything metered in the month so far has been priced. */
  readonly complete: boolean
}

export type UnroundedLine = Omit<StatementLine, 'amount'>

/** Rounds each line, then adds up, so that the lines a reader sees add up to the total he sees. */
export function draw(
  head: Omit<Statement, 'lines' | 'exact' | 'rounding' | 'total'>,
  unrounded: readonly UnroundedLine[],
): Statement {
  const digits = MINOR_DIGITS[head.currency]
  const lines = unrounded.map((line) => ({
    ...line,
    amount: line.exact === null ? null : roundHalfEven(line.exact, digits),
  }))
  const exact = sum(lines.map((line) => line.exact ?? '0'))
  const total = sum(lines.map((line) => line.amount ?? '0'))
  return { ...head, lines, exact, total, rounding: subtract(total, exact) }
}

const WORDS = {
  en: {
    head: ['Kind', 'Model', 'Product', 'Priced by', 'Events', 'Quantity', 'Exact amount', 'Amount', 'Currency'],
    rounding: 'Rounding',
    total: 'Total',
    unpriced: 'no price',
  },
  'zh-CN': {
    head: ['计量类型', '模型', '产品', '计价单位', '事件数', '数量', '精确金额', '金额', '币种'],
    rounding: '尾差调整',
    total: '合计',
    unpriced: '暂无价格',
  },
} as const

const UNITS: Readonly<Record<PriceUnit, Readonly<Record<Locale, string>>>> = {
  'tokens.input': { en: 'input tokens', 'zh-CN': '输入词元' },
  'tokens.cached': { en: 'cached tokens', 'zh-CN': '缓存命中词元' },
  'tokens.output': { en: 'output tokens', 'zh-CN': '输出词元' },
  'chip-seconds': { en: 'chip-seconds', 'zh-CN': '卡秒' },
  'storage-byte-hours': { en: 'byte-hours of storage', 'zh-CN': '存储字节时' },
  'data-uses': { en: 'uses of data', 'zh-CN': '数据使用次数' },
  joules: { en: 'joules', 'zh-CN': '焦耳' },
  'cu-hours': { en: 'millionths of a CU-hour', 'zh-CN': '百万分之一 CU 时' },
}

/** RFC 4180, with the mark by which spreadsheets know UTF-8. */
export function statementCsv(statement: Statement, locale: Locale): string {
  const words = WORDS[locale]
  const digits = MINOR_DIGITS[statement.currency]
  const money = (amount: Decimal | null) => (amount === null ? '' : withDigits(amount, digits))
  const rows = statement.lines.map((line) => [
    UNITS[line.kind][locale],
    textCell(line.model),
    textCell(line.product),
    line.unit === null ? words.unpriced : UNITS[line.unit][locale],
    String(line.events),
    line.quantity.toString(),
    line.exact ?? '',
    money(line.amount),
    statement.currency,
  ])
  const blanks = ['', '', '', '', '']
  const rounding = [words.rounding, ...blanks, '', statement.rounding, statement.currency]
  const total = [words.total, ...blanks, statement.exact, money(statement.total), statement.currency]
  return `\uFEFF${[words.head, ...rows, rounding, total].map((row) => `${row.map(cell).join(',')}\r\n`).join('')}`
}

/** A name that begins like a formula would be run by a spreadsheet. */
function textCell(text: string | null): string {
  if (text === null) return ''
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
}

function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
