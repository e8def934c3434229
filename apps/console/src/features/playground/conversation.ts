/** The state of a conversation; pure, so that every ending of a stream can be tested without one. */
import type { ChatError, ChatEvent, ChatMessage, TokenUsage } from './chat-stream.ts'

export interface Answer {
  readonly state: 'streaming' | 'done' | 'stopped' | 'failed'
  readonly text: string
  readonly model: string
  readonly error: ChatError | null
  readonly finishReason: string | null
  readonly requestId: string | null
  readonly revisionId: string | null
  readonly usage: TokenUsage | null
  /** Milliseconds of this page's clock. */
  readonly askedAt: number
  readonly firstAt: number | null
  readonly lastAt: number | null
}

export interface Turn {
  readonly id: number
  readonly question: string
  readonly answer: Answer
}

export type Conversation = readonly Turn[]

export type Action =
  | {
      readonly type: 'ask'
      readonly id: number
      readonly question: string
      readonly model: string
      readonly at: number
    }
  | { readonly type: 'event'; readonly id: number; readonly event: ChatEvent; readonly at: number }
  | { readonly type: 'stop'; readonly id: number }
  | { readonly type: 'drop'; readonly id: number }
  | { readonly type: 'clear' }

function freshAnswer(model: string, at: number): Answer {
  return {
    state: 'streaming',
    text: '',
    model,
    error: null,
    finishReason: null,
    requestId: null,
    revisionId: null,
    usage: null,
    askedAt: at,
    firstAt: null,
    lastAt: null,
  }
}

function withEvent(answer: Answer, event: ChatEvent, at: number): Answer {
  if (answer.state !== 'streaming') return answer
  switch (event.kind) {
    case 'opened':
      return { ...answer, requestId: event.requestId, revisionId: event.revisionId }
    case 'delta':
      return { ...answer, text: answer.text + event.text, firstAt: answer.firstAt ?? at, lastAt: at }
    case 'finish':
      return { ...answer, finishReason: event.reason }
    case 'usage':
      return { ...answer, usage: event.usage }
    case 'error':
      return { ...answer, state: 'failed', error: event.error }
    case 'end':
      return { ...answer, state: 'done' }
  }
}

function update(turns: Conversation, id: number, change: (answer: Answer) => Answer): Conversation {
  return turns.map((turn) => (turn.id === id ? { ...turn, answer: change(turn.answer) } : turn))
}

export function reduce(turns: Conversation, action: Action): Conversation {
  switch (action.type) {
    case 'ask':
      return [...turns, { id: action.id, question: action.question, answer: freshAnswer(action.model, action.at) }]
    case 'event':
      return update(turns, action.id, (answer) => withEvent(answer, action.event, action.at))
    case 'stop':
      return update(turns, action.id, (answer) =>
        answer.state === 'streaming' ? { ...answer, state: 'stopped' } : answer,
      )
    case 'drop':
      return turns.filter((turn) => turn.id !== action.id)
    case 'clear':
      return []
  }
}

/** What the model is sent: the turns that were answered, then the question. A failed turn never happened. */
export function historyOf(turns: Conversation, system: string, question: string): readonly ChatMessage[] {
  const head: ChatMessage[] = system.trim() === '' ? [] : [{ role: 'system', content: system }]
  const past = turns.flatMap((turn): ChatMessage[] =>
    turn.answer.state === 'failed' || turn.answer.text === ''
      ? []
      : [
          { role: 'user', content: turn.question },
          { role: 'assistant', content: turn.answer.text },
        ],
  )
  return [...head, ...past, { role: 'user', content: question }]
}

/** Milliseconds from asking to the first text. */
export function timeToFirstToken(answer: Answer): number | null {
  return answer.firstAt === null ? null : answer.firstAt - answer.askedAt
}

/**
 * Tokens after the first per second between first and last text: the decode rate as this page saw it. Null without
 * the engine's own token count, because pieces of text are not tokens.
 */
export function decodeRate(answer: Answer): number | null {
  const { firstAt, lastAt, usage } = answer
  if (usage === null || firstAt === null || lastAt === null || lastAt <= firstAt) return null
  return usage.completionTokens < 2 ? null : ((usage.completionTokens - 1) / (lastAt - firstAt)) * 1000
}
