/**
 * What an audit entry must not carry: secrets, and whatever the store cannot hold. Both are taken out here, so that no
 * caller has to remember, and no input can make its own audit fail.
 */

export const REDACTED = '[redacted]'
const LONGEST_TEXT = 2_000
const DEEPEST = 8
/** In one entry, over all depths. */
const MOST_VALUES = 2_000
const MOST_CHARACTERS = 64_000

/** A field with one of these words anywhere in its name holds a secret. */
const ALWAYS = new Set([
  'apikey',
  'authorization',
  'cookie',
  'credential',
  'credentials',
  'passphrase',
  'passwd',
  'password',
  'pepper',
  'private',
  'pwd',
  'secret',
  'secrets',
])
/** These only where the name ends on one: `joinToken` is a secret, `tokenId` and `keyFingerprint` are not. */
const AT_THE_END = new Set(['key', 'keys', 'token', 'tokens', 'auth', 'bearer', 'signature', 'pem'])
/** Ends on a word from above and yet is for everybody to read. */
const PUBLIC = new Set(['public key', 'card key', 'chip key'])
/** A webhook's secret is in its path or query, so that of such an address only the host is kept. */
const ADDRESS = new Set(['url', 'urls', 'uri', 'uris', 'href', 'webhook', 'webhooks', 'hook', 'hooks', 'callback'])

/**
 * Secrets by their looks, wherever they stand: this factory's own tokens and keys, bearers, PEM, JSON web tokens, and
 * the keys of widely used services, which begin with a mark of their own.
 */
const SECRET_TEXT = [
  /\b(?:mjt|mk)_[0-9A-Za-z]{10}_[0-9A-Za-z_-]{16,}/g,
  /\b(?:bearer|basic)\s+[0-9A-Za-z._~+/=-]{8,}/gi,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\beyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]*/g,
  /\b(?:sk|rk|glpat|xox[a-z])-[0-9A-Za-z_-]{12,}/g,
  /\b(?:gh[a-z]|hf|github_pat)_[0-9A-Za-z_]{16,}/g,
  /\bAKIA[0-9A-Z]{16}\b/g,
]
/**
 * A value that is said to be secret, as in `password=...`, `"secret": "..."` or `密码：...`. What is called a token or
 * a key is often only counted or named: there the value must be long enough to open something. The backslashes are of
 * JSON within a text of JSON, as tools like to answer.
 */
const NAMED_SECRET = [
  /(pass(?:word|wd|phrase)|pwd|secret|credential)(\\*["']?\s*[=:：]\s*)(?:\\+"[^"]*"|"(?:\\.|[^"\\])*"|'[^']*'|["']?[^\s,;&"']+)/gi,
  /(token|api[_-]?key|access[_-]?key|private[_-]?key)(\\*["']?\s*[=:：]\s*)\\*["']?[^\s,;&"']{8,}["']?/gi,
  /(密码|口令|密钥|令牌)(\s*[=:：]\s*)[^\s，。；,;]+/g,
]
/** Groups: scheme, user information, host, path, query and fragment. */
const URL_TEXT = /\b([a-z][a-z0-9+.-]*:\/\/)([^\s/?#@]*@)?([^\s/?#@]*)([^\s?#]*)([?#]\S*)?/gi

/** Behind such a part of a path is what lets a message in: chat groups and other receivers of webhooks. */
const HOOK_PATH = /\/(?:hooks?|webhooks?|robots?|bots?|services|triggers?|workflows?)(?=\/)|\/bot(?=\d)/i
/** A host that does nothing but receive hooks. */
const HOOK_HOST = /^(?:web)?hooks?\./i
/** One part of a path that nobody would give as a name: long, in one piece, with letters and digits. */
const TOKEN_PART = /^(?=.*\d)(?=.*[a-z])(?:[^/]{40,}|(?=.*[0-9a-z]{12})[^/]{20,})$/i
/** This factory's own ids, which an audit is about. */
const OWN_ID = /^[a-z]+_[0-9a-z-]{16,40}$/

/** @returns plain JSON without secrets, bounded in depth, length and number. */
export function redact(detail: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return fields(detail, 0, { values: MOST_VALUES, characters: MOST_CHARACTERS })
}

/** A text as PostgreSQL can hold it, without what looks like a secret. */
export function safeText(text: string): string {
  const unmarked = SECRET_TEXT.reduce((rest, pattern) => rest.replace(pattern, REDACTED), cut(storable(text)))
  const plain = NAMED_SECRET.reduce((rest, pattern) => rest.replace(pattern, `$1$2${REDACTED}`), unmarked)
  return plain.replace(
    URL_TEXT,
    (_, scheme: string, user: string | undefined, host: string, path: string, query: string | undefined) =>
      `${scheme}${user === undefined ? '' : `${REDACTED}@`}${host}${safePath(host, path)}${query === undefined ? '' : `?${REDACTED}`}`,
  )
}

function safePath(host: string, path: string): string {
  if (HOOK_HOST.test(host) && path.length > 1) return `/${REDACTED}`
  const hook = HOOK_PATH.exec(path)
  if (hook) return `${path.slice(0, hook.index + hook[0].length)}/${REDACTED}`
  const parts = path.split('/')
  return parts.map((part) => (TOKEN_PART.test(part) && !OWN_ID.test(part) ? REDACTED : part)).join('/')
}

interface Budget {
  values: number
  characters: number
}

function spent(budget: Budget): boolean {
  return budget.values <= 0 || budget.characters <= 0
}

function text(value: string, budget: Budget): string {
  const safe = safeText(value)
  budget.characters -= safe.length
  return safe
}

function fields(value: object, depth: number, budget: Budget): Record<string, unknown> {
  const kept: [string, unknown][] = []
  for (const [name, inner] of Object.entries(value)) {
    if (spent(budget)) {
      kept.push(['[cut]', true])
      break
    }
    const read = field(name, inner, depth, budget)
    if (read !== undefined) kept.push([text(name, budget), read])
  }
  return Object.fromEntries(kept)
}

function field(name: string, value: unknown, depth: number, budget: Budget): unknown {
  budget.values -= 1
  if (value === null || value === undefined || typeof value === 'boolean') return value
  const words = wordsOf(name)
  if (isSecret(words)) return typeof value === 'number' && !words.some((word) => ALWAYS.has(word)) ? value : REDACTED
  if (words.some((word) => ADDRESS.has(word))) return addressOnly(value, depth, budget)
  return anything(value, depth, budget)
}

function anything(value: unknown, depth: number, budget: Budget): unknown {
  if (typeof value === 'string') return text(value, budget)
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object') return value === true || value === false ? value : undefined
  if (value === null) return null
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (depth >= DEEPEST) return '[cut]'
  if (!Array.isArray(value)) return fields(value, depth + 1, budget)
  const items: unknown[] = []
  for (const item of value) {
    if (spent(budget)) return [...items, '[cut]']
    budget.values -= 1
    items.push(anything(item, depth + 1, budget) ?? null)
  }
  return items
}

function addressOnly(value: unknown, depth: number, budget: Budget): unknown {
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => addressOnly(item, depth + 1, budget))
  if (typeof value !== 'string') return anything(value, depth, budget)
  const [, scheme = '', , host = ''] = new RegExp(URL_TEXT.source, 'i').exec(storable(value)) ?? []
  // An address that cannot be taken apart may be all secret.
  return host === '' ? REDACTED : cut(`${scheme}${host}/${REDACTED}`)
}

function isSecret(words: readonly string[]): boolean {
  if (words.some((word) => ALWAYS.has(word))) return true
  return AT_THE_END.has(words.at(-1) ?? '') && !PUBLIC.has(words.slice(-2).join(' '))
}

/** `joinToken`, `join-token`, `JOIN_TOKEN` and `URLPath` as words in lower case. */
function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
}

/** PostgreSQL holds neither U+0000 nor half a surrogate pair. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\uFFFD')
}

function cut(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT).toWellFormed()}…`
}
