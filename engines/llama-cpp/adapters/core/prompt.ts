import { randomBytes } from 'node:crypto'
import { Template } from '@huggingface/jinja'
import type { ChatTemplate } from '@medley/serving/protocol'
import type { LlamaModel, Token } from 'node-llama-cpp'
import { farTooLong } from '../../domain/length-check.ts'
import { type PromptPart, promptParts, sentinel } from '../../domain/prompt-parts.ts'
import { errors } from '../../errors.ts'
import { badRequest, type RequestError } from './request-error.ts'
import type { BoundedTokenizer } from './tokenizer.ts'

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

export interface PromptBuilder {
  /**
   * @throws {RequestError} 400 with the template's own words when it refuses the order of the messages, and 400 for a
   * text that is beyond any context.
   */
  chat(messages: readonly ChatMessage[], signal: AbortSignal): Promise<Token[]>
  /**
   * A prompt the client has rendered; control tokens are recognised, as with any raw completion.
   *
   * @throws {RequestError} 400 for a text that is beyond any context.
   */
  raw(text: string, signal: AbortSignal): Promise<Token[]>
  readonly stopTokens: ReadonlySet<Token>
}

export interface PromptPorts {
  readonly model: LlamaModel
  readonly tokenizer: BoundedTokenizer
  readonly template: ChatTemplate
  readonly contextTokens: number
}

/** @throws {AppError} `engine.template.invalid` when the pinned text is not a Jinja template. */
export function createPromptBuilder({ model, tokenizer, template, contextTokens }: PromptPorts): PromptBuilder {
  const compiled = compile(template)
  const { bos, bosString, eosString, shouldPrependBosToken } = model.tokens
  const withBos = (tokens: Token[]): Token[] =>
    shouldPrependBosToken && bos !== null && tokens[0] !== bos ? [bos, ...tokens] : tokens

  const tokensOf = async (parts: readonly PromptPart[], param: string, signal: AbortSignal): Promise<Token[]> => {
    const result = await tokenizer.tokenize(parts, contextTokens, signal)
    if (result.kind === 'too-long') throw beyondContext(param, result.leastTokens, contextTokens)
    return withBos(result.tokens)
  }

  return {
    async chat(messages, signal) {
      // Each has at least its role in the prompt: rendering so many would take long only to be refused.
      if (messages.length > contextTokens) throw beyondContext('messages', messages.length, contextTokens)
      const all = withSystem(messages, template.systemPrompt)
      const nonce = randomBytes(8).toString('hex')
      const rendered = render(compiled, {
        // An empty content stays empty: templates test for it.
        messages: all.map(({ role, content }, index) => ({
          role,
          content: content === '' ? '' : sentinel(nonce, index),
        })),
        add_generation_prompt: true,
        bos_token: bosString ?? '',
        eos_token: eosString ?? '',
      })
      const contents = all.map((message) => message.content)
      return tokensOf(promptParts(rendered, nonce, contents), 'messages', signal)
    },
    raw: (text, signal) => tokensOf([{ kind: 'template', text }], 'prompt', signal),
    stopTokens: new Set(template.stop.flatMap((stop) => singleToken(model, stop))),
  }
}

function withSystem(messages: readonly ChatMessage[], systemPrompt: string | null): readonly ChatMessage[] {
  if (systemPrompt === null || messages.some((message) => message.role === 'system')) return messages
  return [{ role: 'system', content: systemPrompt }, ...messages]
}

function beyondContext(param: string, leastTokens: number, contextTokens: number): RequestError {
  return badRequest(param, farTooLong(leastTokens, contextTokens), 'context_length_exceeded')
}

function singleToken(model: LlamaModel, text: string): Token[] {
  const tokens = model.tokenize(text, true)
  return tokens.length === 1 && model.isSpecialToken(tokens[0]) ? [...tokens] : []
}

function compile(template: ChatTemplate): Template {
  try {
    return new Template(template.text)
  } catch (cause) {
    throw errors['template.invalid']({ name: template.name }, { detail: String(cause), cause })
  }
}

function render(template: Template, values: Record<string, unknown>): string {
  try {
    return template.render(values)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw badRequest('messages', `The chat template refuses these messages: ${reason}`)
  }
}
