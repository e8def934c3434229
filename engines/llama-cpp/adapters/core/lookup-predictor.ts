import { InputLookupTokenPredictor, type Token } from 'node-llama-cpp'

/**
 * Prompt lookup that can be switched off for a request and never drafts beyond the end of the context: the library
 * validates drafts by decoding them, and one token too many would shift the context silently.
 */
export class BoundedLookupPredictor extends InputLookupTokenPredictor {
  enabled = true
  readonly #contextTokens: number
  #stateLength = 0

  constructor(contextTokens: number, minTokens: number, maxTokens: number) {
    super({ patternLength: { min: minTokens }, predictionLength: { min: 1, max: maxTokens } })
    this.#contextTokens = contextTokens
  }

  override reset(params: Parameters<InputLookupTokenPredictor['reset']>[0]): void {
    this.#stateLength = params.stateTokens.length
    super.reset(params)
  }

  override pushTokens(tokens: Token[]): void {
    this.#stateLength += tokens.length
    super.pushTokens(tokens)
  }

  override predictTokens(): Token[] {
    if (!this.enabled) return []
    // One cell stays free: the library shifts as soon as the last one is taken.
    const room = Math.max(0, this.#contextTokens - 1 - this.#stateLength)
    return super.predictTokens().slice(0, room)
  }
}
