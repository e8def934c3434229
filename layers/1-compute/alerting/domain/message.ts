import type { Locale, Localized } from '@medley/kernel'
import type { Coded } from './observation.ts'
import type { Severity } from './rule.ts'
import { localTime, sentence, type Wording } from './wording.ts'

export interface Notice {
  readonly alertId: string
  readonly event: 'firing' | 'resolved'
  readonly ruleName: Localized
  readonly severity: Severity
  readonly subject: string
  readonly simulated: boolean
  readonly evidence: readonly Coded[]
  readonly startedAt: Date
  readonly resolvedAt: Date | null
}

export interface Message {
  readonly title: string
  /** Markdown, one per alert, the worst first. */
  readonly lines: readonly string[]
  /** How many more are meant than have a line. */
  readonly more: number
  readonly locale: Locale
  /** Colour of the whole. */
  readonly mood: 'bad' | 'poor' | 'good'
}

/** Alerts that get a line of their own. */
const MOST_LINES = 20

const WORDS = {
  en: {
    critical: 'Critical',
    warning: 'Warning',
    info: 'Info',
    resolved: 'Resolved',
    simulated: 'simulated',
    title: (firing: number, resolved: number) => `Medley: ${firing} firing, ${resolved} resolved`,
    more: (count: number) => `and ${count} more`,
    test: 'Medley: this is a test message; nothing is wrong',
    since: 'since',
    until: 'until',
  },
  'zh-CN': {
    critical: '严重',
    warning: '警告',
    info: '提示',
    resolved: '已恢复',
    simulated: '模拟',
    title: (firing: number, resolved: number) => `Medley 告警：触发 ${firing} 条，恢复 ${resolved} 条`,
    more: (count: number) => `另有 ${count} 条`,
    test: 'Medley 测试消息：一切正常，无需处理',
    since: '开始于',
    until: '恢复于',
  },
} as const

const SEVERITIES: readonly Severity[] = ['critical', 'warning', 'info']

/**
 * Puts alerts of one failure into one message. An alert that began and ended meanwhile is told once, as ended.
 */
export function compose(notices: readonly Notice[], locale: Locale, wording: Wording): Message {
  const words = WORDS[locale]
  const newest = latestPerAlert(notices)
  const firing = newest.filter(({ event }) => event === 'firing')
  const ordered = [...newest].sort(
    (left, right) =>
      Number(left.event === 'resolved') - Number(right.event === 'resolved') ||
      SEVERITIES.indexOf(left.severity) - SEVERITIES.indexOf(right.severity),
  )
  const lines = ordered.slice(0, MOST_LINES).map((notice) => line(notice, locale, wording))
  const title = words.title(firing.length, newest.length - firing.length)
  return { title, lines, more: newest.length - lines.length, locale, mood: moodOf(firing) }
}

export function testMessage(locale: Locale): Message {
  return { title: WORDS[locale].test, lines: [], more: 0, locale, mood: 'good' }
}

/**
 * The message as Markdown that fits into `maxBytes` of UTF-8: lines that do not fit are counted with the rest.
 */
export function toMarkdown(message: Message, maxBytes: number): string {
  const words = WORDS[message.locale]
  for (let shown = message.lines.length; shown >= 0; shown -= 1) {
    const more = message.more + message.lines.length - shown
    const tail = more > 0 ? [words.more(more)] : []
    const text = [`**${message.title}**`, ...message.lines.slice(0, shown), ...tail].join('\n\n')
    if (byteLength(text) <= maxBytes) return text
  }
  return message.title
}

/** The last word on each alert: `resolved` where both are there. */
export function latestPerAlert<Item extends Pick<Notice, 'alertId' | 'event'>>(notices: readonly Item[]): Item[] {
  const byAlert = new Map<string, Item>()
  for (const notice of notices) {
    const before = byAlert.get(notice.alertId)
    if (before?.event !== 'resolved') byAlert.set(notice.alertId, notice)
  }
  return [...byAlert.values()]
}

function line(notice: Notice, locale: Locale, wording: Wording): string {
  const words = WORDS[locale]
  const badge = notice.event === 'resolved' ? words.resolved : words[notice.severity]
  const marks = [badge, ...(notice.simulated ? [words.simulated] : [])].join(' · ')
  const ended = notice.event === 'resolved' && notice.resolvedAt !== null
  const at = localTime(ended ? notice.resolvedAt : notice.startedAt, wording.timeZone)
  const when = `${ended ? words.until : words.since} ${at}`
  const name = plain(notice.ruleName[locale])
  const why =
    notice.event === 'firing' ? notice.evidence.slice(0, 2).map((each) => plain(sentence(each, locale, wording))) : []
  return `**【${marks}】${name}** ${[plain(notice.subject), ...why, when, notice.alertId].join(' | ')}`
}

function moodOf(firing: readonly Notice[]): Message['mood'] {
  if (firing.length === 0) return 'good'
  return firing.some(({ severity }) => severity === 'critical') ? 'bad' : 'poor'
}

/** Names come from machines: none may make a link, call a group (`<at>`), or begin a line of its own. */
function plain(text: string): string {
  const controls = /[\p{Cc}\p{Cf}]+/gu
  const flat = text.replace(controls, ' ').slice(0, 160)
  return flat.replace(/[<>[\]`*#|@]/g, (character) => WIDE[character] ?? ' ')
}

const WIDE: Readonly<Record<string, string>> = {
  '<': '＜',
  '>': '＞',
  '[': '［',
  ']': '］',
  '`': '｀',
  '*': '＊',
  '#': '＃',
  '|': '｜',
  '@': '＠',
}

/** Length in UTF-8; `Buffer` is not the domain's. */
function byteLength(text: string): number {
  let bytes = 0
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
  }
  return bytes
}
