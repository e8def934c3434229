export type LengthVerdict =
  | { readonly kind: 'fits'; readonly maxTokens: number }
  | { readonly kind: 'too-long'; readonly message: string }

/**
 * Whether a prompt and what was asked for fit into one slot. The last token of an answer is never fed back, so prompt
 * and answer may fill the context to the brim.
 *
 * @param asked Tokens the client asked for, or null for "until the end of the context".
 */
export function checkLength(promptTokens: number, asked: number | null, contextTokens: number): LengthVerdict {
  const room = contextTokens - promptTokens
  if (room >= (asked ?? 1)) return { kind: 'fits', maxTokens: asked ?? room }
  const wanted = asked === null ? '' : ` and ${asked} for the answer, ${promptTokens + asked} together`
  return {
    kind: 'too-long',
    message:
      `This deployment's context holds ${contextTokens} tokens, but the request needs ${promptTokens} tokens for ` +
      `the prompt${wanted || ' and at least one for the answer'}. Shorten the prompt or lower max_tokens.`,
  }
}

/** For a prompt that was not counted to its end: what it has for certain is too much already. */
export function farTooLong(leastTokens: number, contextTokens: number): string {
  return (
    `This deployment's context holds ${contextTokens} tokens, but the request needs at least ${leastTokens} tokens ` +
    'for the prompt and at least one for the answer. Shorten the prompt.'
  )
}
