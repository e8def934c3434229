/** Where and why a text is not JSON. V8's own messages differ between versions and often name no place. */
export interface JsonFault {
  readonly problem: string
  /** UTF-16 code units from the start. */
  readonly offset: number
  /** Counted from 1. */
  readonly line: number
  readonly column: number
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const LITERAL = /true|false|null/y
const SPACE = /[ \t\r\n]*/y

type Bracket = '{' | '['

class Fault extends Error {
  readonly offset: number

  constructor(problem: string, offset: number) {
    super(problem)
    this.offset = offset
  }
}

/** The first fault of `text`, or null when it is JSON. Iterative: deep nesting must not overflow the stack. */
export function findJsonFault(text: string): JsonFault | null {
  try {
    scan(text)
    return null
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    const before = text.slice(0, error.offset)
    const lines = before.split('\n')
    return {
      problem: error.message,
      offset: error.offset,
      line: lines.length,
      column: (lines.at(-1)?.length ?? 0) + 1,
    }
  }
}

function scan(text: string): void {
  const open: Bracket[] = []
  let at = skip(SPACE, text, 0)
  for (;;) {
    const afterValue = value(text, at, open)
    if (afterValue === null) {
      // A bracket was opened: its first value is due next.
      const inside = skip(SPACE, text, at + 1)
      at = text[at] === '{' ? key(text, inside) : inside
      continue
    }
    at = close(text, afterValue, open)
    const inside = open.at(-1)
    if (inside === undefined) {
      if (at < text.length) throw new Fault('nothing may follow the value', at)
      return
    }
    if (text[at] !== ',') throw unexpected(text, at, inside === '{' ? '"," or "}"' : '"," or "]"')
    at = skip(SPACE, text, at + 1)
    if (inside === '{') at = key(text, at)
  }
}

/** Where the value at `at` ends; null when it is a bracket with something in it, which is then open. */
function value(text: string, at: number, open: Bracket[]): number | null {
  const char = text[at]
  if (char !== '{' && char !== '[') return scalar(text, at)
  const next = skip(SPACE, text, at + 1)
  if (text[next] === closer(char)) return next + 1
  open.push(char)
  return null
}

function close(text: string, from: number, open: Bracket[]): number {
  let at = skip(SPACE, text, from)
  for (let inside = open.at(-1); inside !== undefined && text[at] === closer(inside); inside = open.at(-1)) {
    open.pop()
    at = skip(SPACE, text, at + 1)
  }
  return at
}

function closer(bracket: Bracket): string {
  return bracket === '{' ? '}' : ']'
}

/** Reads `"name" :` and returns where the member's value begins. */
function key(text: string, at: number): number {
  if (text[at] !== '"') throw unexpected(text, at, 'a name in double quotes')
  const colon = skip(SPACE, text, string(text, at))
  if (text[colon] !== ':') throw unexpected(text, colon, '":"')
  return skip(SPACE, text, colon + 1)
}

function scalar(text: string, at: number): number {
  if (text[at] === '"') return string(text, at)
  const end = skip(text[at] === '-' || /\d/.test(text[at] ?? '') ? NUMBER : LITERAL, text, at)
  if (end === at) throw unexpected(text, at, 'a value')
  return end
}

function string(text: string, at: number): number {
  const end = skipString(text, at)
  if (text[end] === '"') return end + 1
  if (end >= text.length) throw new Fault('the string is not closed', end)
  throw new Fault(text[end] === '\\' ? 'bad escape in the string' : 'unescaped control character in the string', end)
}

/** Strings may be megabytes long, and V8's backtracking expressions overflow on such repetitions. */
function skipString(text: string, at: number): number {
  let end = at + 1
  while (end < text.length) {
    const code = text.charCodeAt(end)
    if (code === 0x22 || code < 0x20) return end
    if (code !== 0x5c) {
      end += 1
      continue
    }
    const escaped = /^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(text.slice(end, end + 6))
    if (escaped === null)
      return text.length - end < 6 && /^\\(?:u[0-9a-fA-F]*)?$/.test(text.slice(end)) ? text.length : end
    end += escaped[0].length
  }
  return end
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}

function unexpected(text: string, at: number, wanted: string): Fault {
  const found = at < text.length ? JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0)) : 'the end'
  return new Fault(`expected ${wanted}, found ${found}`, at)
}
