/** Token counts of one request; null where the engine has not said. */
export interface TokenCounts {
  readonly promptTokens: number | null
  readonly cachedTokens: number | null
  readonly completionTokens: number | null
}

export const UNKNOWN_TOKENS: TokenCounts = { promptTokens: null, cachedTokens: null, completionTokens: null }

/** Reads OpenAI's `usage` object out of a parsed answer. */
export function countsOfAnswer(answer: unknown): TokenCounts {
  const usage = member(answer, 'usage')
  return {
    promptTokens: asCount(member(usage, 'prompt_tokens')),
    cachedTokens: asCount(member(member(usage, 'prompt_tokens_details'), 'cached_tokens')),
    completionTokens: asCount(member(usage, 'completion_tokens')),
  }
}

/** A member of something of unknown form. */
export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

/** Null for whatever is not a count of tokens. */
export function asCount(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}

/** Null for what is not JSON: answers are passed on whatever they are, and only looked into for their counts. */
export function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** The code in an engine's error object. */
export function errorCodeOf(answer: unknown): string {
  const code = member(member(answer, 'error'), 'code')
  return typeof code === 'string' ? code : 'engine_error'
}
