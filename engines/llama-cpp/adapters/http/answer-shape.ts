import type { RequestRecord } from '../../protocol.ts'

export interface AnswerHead {
  readonly id: string
  /** Seconds since the Unix epoch. */
  readonly created: number
  readonly model: string
  readonly system_fingerprint: string
}

/** How one endpoint words its answers; everything else about answering is the same. */
export interface AnswerShape {
  readonly idPrefix: string
  readonly object: string
  readonly chunkObject: string
  readonly whole: (text: string, finish: string) => object
  /** First event of a stream, before any text; null where the endpoint has none. */
  readonly opening: object | null
  readonly delta: (text: string) => object
  readonly closing: (finish: string) => object
}

export const chatShape: AnswerShape = {
  idPrefix: 'chatcmpl-',
  object: 'chat.completion',
  chunkObject: 'chat.completion.chunk',
  whole: (content, finish) => ({
    index: 0,
    message: { role: 'assistant', content, refusal: null },
    logprobs: null,
    finish_reason: finish,
  }),
  opening: { index: 0, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null },
  delta: (content) => ({ index: 0, delta: { content }, logprobs: null, finish_reason: null }),
  closing: (finish) => ({ index: 0, delta: {}, logprobs: null, finish_reason: finish }),
}

export const completionShape: AnswerShape = {
  idPrefix: 'cmpl-',
  object: 'text_completion',
  chunkObject: 'text_completion',
  whole: (text, finish) => ({ index: 0, text, logprobs: null, finish_reason: finish }),
  opening: null,
  delta: (text) => ({ index: 0, text, logprobs: null, finish_reason: null }),
  closing: (finish) => ({ index: 0, text: '', logprobs: null, finish_reason: finish }),
}

export function usageOf(record: RequestRecord): object {
  return {
    prompt_tokens: record.promptTokens,
    completion_tokens: record.completionTokens,
    total_tokens: record.promptTokens + record.completionTokens,
    prompt_tokens_details: { cached_tokens: record.cachedTokens },
  }
}
