import { setImmediate as nextTurn } from 'node:timers/promises'
import type { LlamaModel, Token } from 'node-llama-cpp'
import { cutText } from '../../domain/cut-text.ts'
import type { PromptPart } from '../../domain/prompt-parts.ts'

export type Tokenized =
  | { readonly kind: 'tokens'; readonly tokens: Token[] }
  /** It has at least so many; how many exactly was not worth finding out. */
  | { readonly kind: 'too-long'; readonly leastTokens: number }

export interface BoundedTokenizer {
  /**
   * Parts are tokenised one by one, so that no token spans the border between the template and a person's text. A
   * text of more than `limit` tokens is not tokenised to its end, and other requests are served in between.
   *
   * @throws The signal's reason when it is aborted meanwhile.
   */
  tokenize(parts: readonly PromptPart[], limit: number, signal: AbortSignal): Promise<Tokenized>
  /** Tokens of the vocabulary; null where the model file does not list them. */
  readonly vocabularySize: number | null
}

/** Some 5 ms of work, in which no token of a running answer is sent. */
const PIECE_UNITS = 16 * 1024
/** Where the vocabulary is not known; the longest in common vocabularies are runs of blanks or dashes. */
const ASSUMED_LONGEST_BYTES = 64

export function createBoundedTokenizer(model: LlamaModel): BoundedTokenizer {
  const vocabulary = model.fileInfo.metadata?.tokenizer?.ggml?.tokens
  const longestBytes = Array.isArray(vocabulary) ? longestOf(vocabulary) : ASSUMED_LONGEST_BYTES
  let units = 0
  /** Counts over all requests: many short texts are as much work as one long one. */
  const giveWay = async (text: string, signal: AbortSignal): Promise<void> => {
    if (units > 0 && units + text.length > PIECE_UNITS) {
      units = 0
      await nextTurn()
      signal.throwIfAborted()
    }
    units += text.length
  }

  return {
    vocabularySize: Array.isArray(vocabulary) ? vocabulary.length : null,
    async tokenize(parts, limit, signal) {
      const bytes = parts.reduce((sum, part) => sum + Buffer.byteLength(part.text), 0)
      const leastTokens = Math.ceil(bytes / longestBytes)
      if (leastTokens > limit) return { kind: 'too-long', leastTokens }
      const tokens: Token[] = []
      for (const [text, special] of piecesOf(parts)) {
        await giveWay(text, signal)
        const piece =
          tokens.length === 0 ? model.tokenize(text, special) : model.tokenize(text, special, 'trimLeadingSpace')
        for (const token of piece) tokens.push(token)
        if (tokens.length > limit && bytes > PIECE_UNITS) return { kind: 'too-long', leastTokens: tokens.length }
      }
      return { kind: 'tokens', tokens }
    },
  }
}

function* piecesOf(parts: readonly PromptPart[]): Generator<readonly [text: string, special: boolean]> {
  for (const { kind, text } of parts) {
    for (const piece of cutText(text, PIECE_UNITS)) yield [piece, kind === 'template']
  }
}

/** Vocabularies write a byte or a blank as a character of up to three bytes: the bound is never too small. */
function longestOf(vocabulary: readonly string[]): number {
  return vocabulary.reduce((longest, token) => Math.max(longest, Buffer.byteLength(token)), 1)
}
