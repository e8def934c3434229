import { createHmac } from 'node:crypto'
import { type Message, toMarkdown } from '../domain/message.ts'
import type { Alert, ChannelKind, SendOutcome } from '../ports.ts'
import type { Answer, Post } from './post.ts'
import type { Target } from './sealed.ts'

/** What goes to a channel: words for people and the alerts themselves for programs. */
export interface Parcel {
  /** Same for each try of the same message, so that a receiver can drop a repetition. */
  readonly id: string
  readonly message: Message
  readonly alerts: readonly (Omit<Alert, 'deliveries'> & { readonly event: 'firing' | 'resolved' })[]
}

interface Robot {
  /** Whether a secret means anything to it. */
  readonly signs: boolean
  post(target: Target, parcel: Parcel, nowMs: number): Post
  /** Whether the far side took the message, by what it says rather than by the HTTP status alone. */
  judge(body: string): SendOutcome
}

/** A group robot says 200 and then, in the body, that it took nothing. */
const OK: SendOutcome = { ok: true }

/** Robot of a 企业微信 group: Markdown of at most 4,096 bytes; the key in the address is all there is of security. */
const wecom: Robot = {
  signs: false,
  post: ({ url }, { message }) => ({
    url,
    headers: {},
    body: JSON.stringify({ msgtype: 'markdown', markdown: { content: toMarkdown(message, 4_096) } }),
  }),
  judge: (body) => judgeField(body, 'errcode', 'errmsg'),
}

/**
 * Custom robot of a 钉钉 group. With a secret, `timestamp` (milliseconds) and `sign`, the Base64 of HMAC-SHA256 with
 * the secret as the key over `timestamp \n secret`, are added to the query.
 */
const dingtalk: Robot = {
  signs: true,
  post({ url, secret }, { message }, nowMs) {
    const signed = new URL(url)
    if (secret !== null) {
      const timestamp = String(nowMs)
      const sign = createHmac('sha256', secret).update(`${timestamp}\n${secret}`).digest('base64')
      signed.searchParams.set('timestamp', timestamp)
      signed.searchParams.set('sign', sign)
    }
    const markdown = { title: message.title, text: toMarkdown(message, 16_000) }
    return { url: signed.href, headers: {}, body: JSON.stringify({ msgtype: 'markdown', markdown }) }
  },
  judge: (body) => judgeField(body, 'errcode', 'errmsg'),
}

const COLOURS = { bad: 'red', poor: 'orange', good: 'green' } as const

/**
 * Custom robot of a 飞书 group. With a secret, `timestamp` (seconds) and `sign` stand in the body: the Base64 of
 * HMAC-SHA256 with `timestamp \n secret` as the key over nothing. Bodies of at most 20 KB.
 */
const feishu: Robot = {
  signs: true,
  post({ url, secret }, { message }, nowMs) {
    const timestamp = String(Math.floor(nowMs / 1_000))
    const sign = secret === null ? null : createHmac('sha256', `${timestamp}\n${secret}`).digest('base64')
    const card = {
      config: { wide_screen_mode: true },
      header: { title: { tag: 'plain_text', content: message.title }, template: COLOURS[message.mood] },
      elements: [{ tag: 'markdown', content: toMarkdown(message, 15_000) }],
    }
    const body = { ...(sign === null ? {} : { timestamp, sign }), msg_type: 'interactive', card }
    return { url, headers: {}, body: JSON.stringify(body) }
  },
  judge: (body) => judgeField(body, 'code', 'msg'),
}

/**
 * Anything that takes JSON. `x-medley-signature` is `sha256=` and the hex HMAC-SHA256 over `timestamp.body` with the
 * channel's secret; `x-medley-timestamp` are seconds. A status of 200 to 299 means taken.
 */
const webhook: Robot = {
  signs: true,
  post({ url, secret }, { id, message, alerts }, nowMs) {
    const timestamp = String(Math.floor(nowMs / 1_000))
    const sentAt = new Date(nowMs).toISOString()
    const body = JSON.stringify({ version: 1, deliveryId: id, sentAt, title: message.title, alerts })
    const signature = secret === null ? null : createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
    const headers = {
      'x-medley-timestamp': timestamp,
      'x-medley-delivery': id,
      ...(signature === null ? {} : { 'x-medley-signature': `sha256=${signature}` }),
    }
    return { url, headers, body }
  },
  judge: () => OK,
}

export const ROBOTS: Readonly<Record<ChannelKind, Robot>> = { wecom, feishu, dingtalk, webhook }

/** What came of a try, without anything of the address or the secret in it. */
export function judge(kind: ChannelKind, target: Target, answer: Answer): SendOutcome {
  if (answer.kind === 'failed') return { ok: false, error: answer.reason }
  const outcome = ROBOTS[kind].judge(answer.body)
  const taken = answer.status >= 200 && answer.status < 300
  if (taken) return outcome.ok ? outcome : { ok: false, error: scrub(outcome.error, target) }
  const said = outcome.ok ? '' : ` ${outcome.error}`
  return { ok: false, error: scrub(`HTTP ${answer.status}${said}`, target) }
}

function judgeField(body: string, codeName: string, textName: string): SendOutcome {
  const answer = parseObject(body)
  const code = answer?.[codeName]
  if (code === 0) return OK
  if (typeof code !== 'number') return { ok: false, error: 'the answer is not that of such a robot' }
  return { ok: false, error: `${codeName} ${code}: ${String(answer?.[textName] ?? '').slice(0, 200)}` }
}

function parseObject(body: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? { ...value } : null
  } catch {
    return null
  }
}

/** A robot may quote the request back at us. */
function scrub(text: string, { url, secret }: Target): string {
  const { pathname, searchParams } = new URL(url)
  const parts = [url, secret ?? '', ...pathname.split('/'), ...searchParams.values()]
  const secrets = parts.filter((part) => part.length >= 8)
  return secrets.reduce((clean, part) => clean.replaceAll(part, '***'), text).slice(0, 300)
}
