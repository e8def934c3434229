import type { Locale, Localized } from '@medley/kernel'
import type { Coded } from './observation.ts'
import type { ChipState } from './rule.ts'

/** Same words as the metric catalogue's units; spelt here because a domain knows no other module. */
export type MetricUnit = 'ratio' | 'bytes' | 'celsius' | 'watts' | 'hertz' | 'count' | 'bytes-per-second'

/** In which words and in which zone people are told. */
export interface Wording {
  /** Sentences of evidence codes that others give; `{name}` is replaced by the parameter of that name. */
  readonly evidence: Readonly<Record<string, Localized>>
  readonly metrics: ReadonlyMap<string, { readonly title: Localized; readonly unit: MetricUnit }>
  /** IANA name. */
  readonly timeZone: string
}

const OWN: Readonly<Record<string, Localized>> = {
  'alerting.metric.above': { en: '{metric} {value}, above {threshold}', 'zh-CN': '{metric} {value}，高于 {threshold}' },
  'alerting.metric.below': { en: '{metric} {value}, below {threshold}', 'zh-CN': '{metric} {value}，低于 {threshold}' },
  'alerting.metric.increased-by': {
    en: '{metric}: {value} more within an hour, above {threshold}',
    'zh-CN': '{metric}一小时内增加 {value}，超过 {threshold}',
  },
  'alerting.chip.state': { en: 'state: {state}', 'zh-CN': '状态：{state}' },
  'alerting.node.away': { en: 'The node does not answer', 'zh-CN': '节点没有响应' },
  'alerting.driver.drift': {
    en: 'Driver {version}; most {product} have {usual}',
    'zh-CN': '驱动为 {version}，而多数 {product} 是 {usual}',
  },
}

const STATES: Readonly<Record<ChipState, Localized>> = {
  healthy: { en: 'healthy', 'zh-CN': '正常' },
  degraded: { en: 'degraded', 'zh-CN': '降级' },
  lost: { en: 'lost', 'zh-CN': '掉卡' },
  unusable: { en: 'not usable', 'zh-CN': '不可用' },
  'no-driver': { en: 'no driver', 'zh-CN': '缺驱动' },
  absent: { en: 'missing', 'zh-CN': '不在位' },
  unknown: { en: 'unknown', 'zh-CN': '未知' },
}

/** One piece of evidence as a sentence; its code where nobody has words for it. */
export function sentence({ code, params }: Coded, locale: Locale, { evidence, metrics }: Wording): string {
  // Own properties only: a code comes from an agent.
  const template = (wordsOf(OWN, code) ?? wordsOf(evidence, code))?.[locale]
  if (template === undefined) return code
  const metric = metrics.get(params.metric ?? '')
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const given = Object.hasOwn(params, name) ? (params[name] ?? '') : whole
    if (name === 'metric') return metric?.title[locale] ?? given
    if (name === 'value' || name === 'threshold') return metric ? withUnit(given, metric.unit) : given
    return name === 'state' ? (wordsOf(STATES, given)?.[locale] ?? given) : given
  })
}

const wordsOf = (table: Readonly<Record<string, Localized>>, key: string): Localized | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined

/** Divisor and sign of each unit, as people read it. */
const SCALES: Readonly<Record<MetricUnit, readonly [divisor: number, sign: string]>> = {
  ratio: [0.01, '%'],
  bytes: [2 ** 30, ' GiB'],
  celsius: [1, ' °C'],
  watts: [1, ' W'],
  hertz: [1e6, ' MHz'],
  count: [1, ''],
  'bytes-per-second': [1e6, ' MB/s'],
}

function withUnit(text: string, unit: MetricUnit): string {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) return text
  const [divisor, sign] = SCALES[unit]
  // Three digits say enough; a count is told whole.
  const shown = unit === 'count' ? value : Number((value / divisor).toPrecision(value / divisor >= 1_000 ? 6 : 3))
  return `${shown}${sign}`
}

/** Such as `2026-11-23 12:00:00 UTC+8`. @throws {RangeError} where there is no such zone. */
export function localTime(at: Date, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'shortOffset',
  })
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]))
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? ''
  const date = `${part('year')}-${part('month')}-${part('day')}`
  const zone = part('timeZoneName').replace('GMT', 'UTC')
  return `${date} ${part('hour')}:${part('minute')}:${part('second')} ${zone}`
}
