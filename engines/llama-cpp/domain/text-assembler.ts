const REPLACEMENT = '\uFFFD'
/** No character is spread over more tokens than this; a replacement character that stays so long is a real one. */
const WINDOW_TOKENS = 16
/** Tokens before the window, by which tokenizers decide on leading blanks. */
const CONTEXT_TOKENS = 4

export interface TextAssembler<T> {
  /** The text that is complete with this token; may be empty. */
  push(token: T): string
  /** What is left at the end of an answer; half a character, cut off by a length limit, is dropped. */
  flush(): string
}

/**
 * Turns tokens into text without ever cutting a character: byte-level tokenizers spread one character over several
 * tokens, and decoding them one by one yields replacement characters. An incomplete end decodes to exactly one
 * replacement character (the "maximal subpart" rule of the Encoding standard), so only that one is held back.
 */
export function createTextAssembler<T>(
  detokenize: (tokens: readonly T[], previous: readonly T[]) => string,
  before: readonly T[] = [],
): TextAssembler<T> {
  let context = before.slice(-CONTEXT_TOKENS)
  let window: T[] = []
  let sent = 0

  const close = (text: string): string => {
    const rest = text.slice(sent)
    context = [...context, ...window].slice(-CONTEXT_TOKENS)
    window = []
    sent = 0
    return rest
  }

  return {
    push(token) {
      window.push(token)
      const text = detokenize(window, context)
      if (!text.endsWith(REPLACEMENT) || window.length >= WINDOW_TOKENS) return close(text)
      const stable = text.length - REPLACEMENT.length
      const fresh = text.slice(sent, stable)
      sent = Math.max(sent, stable)
      return fresh
    },
    flush() {
      if (window.length === 0) return ''
      const rest = close(detokenize(window, context))
      return rest.endsWith(REPLACEMENT) ? rest.slice(0, -REPLACEMENT.length) : rest
    },
  }
}
