import { randomBytes } from 'node:crypto'
import { Template } from '@huggingface/jinja'
import type { ChatTemplate } from '@medley/serving/protocol'
import type { LlamaModel, Token } from 'node-llama-cpp'
import { type PromptPart, promptParts, sentinel } from '../../domain/prompt-parts.ts'
import { errors } from '../../errors.ts'
import { badRequest } from './request-error.ts'

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

export interface PromptBuilder {
  /** @throws {RequestError} 400 with the template's own words when it refuses the order of the messages. */
  chat(messages: readonly ChatMessage[]): Token[]
  /** A prompt the client has rendered; control tokens are recognised, as with any raw completion. */
  raw(text: string): Token[]
  readonly stopTokens: ReadonlySet<Token>
}

/** @throws {AppError} `engine.template.invalid` when the pinned text is not a Jinja template. */
export function createPromptBuilder(model: LlamaModel, template: ChatTemplate): PromptBuilder {
  const compiled = compile(template)
  const { bos, bosString, eosString, shouldPrependBosToken } = model.tokens
  const withBos = (tokens: Token[]): Token[] =>
    shouldPrependBosToken && bos !== null && tokens[0] !== bos ? [bos, ...tokens] : tokens

  return {
    chat(messages) {
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
      return withBos(tokenizeParts(model, promptParts(rendered, nonce, contents)))
    },
    raw: (text) => withBos([...model.tokenize(text, true)]),
    stopTokens: new Set(template.stop.flatMap((stop) => singleToken(model, stop))),
  }
}

function withSystem(messages: readonly ChatMessage[], systemPrompt: string | null): readonly ChatMessage[] {
  if (systemPrompt === null || messages.some((message) => message.role === 'system')) return messages
  return [{ role: 'system', content: systemPrompt }, ...messages]
}

/** Parts are tokenised one by one, so that no token spans the border between the template and a person's text. */
function tokenizeParts(model: LlamaModel, parts: readonly PromptPart[]): Token[] {
  return parts.flatMap((part, index) => {
    const special = part.kind === 'template'
    return index === 0 ? model.tokenize(part.text, special) : model.tokenize(part.text, special, 'trimLeadingSpace')
  })
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
